"""A message's page and the error pages in a browser: they fit, can be read, and keep to their content policy."""

import pytest
from django.utils import timezone
from playwright.sync_api import ConsoleMessage

from messaging.models import ApiClient, Message
from messaging.states import Status
from monitoring.models import Alert
from tests.messaging.factories import in_state, number
from tests.messaging.subscriptions.factories import subscription
from tests.pages import SWAGGER_IS_DRAWN, THEMES, OpenPage, check_looks, needs_chromium, wait_until

pytestmark = [needs_chromium, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("theme", THEMES)
def test_the_pages_of_objects_fit_and_can_be_read(open_page: OpenPage, theme: str) -> None:
    message = in_state(Status.FAILED)
    Message.objects.update(error_code=131026, error_title="Message undeliverable", text="long " * 60)
    now = timezone.now()
    Alert.objects.create(
        rule="setup-check", key="webhook", severity="critical", summary="A long reason. " * 20, since=now, fired_at=now,
        value=1,
    )  # fmt: skip
    pages = {
        "alerts": "/admin/monitoring/alert/",
        "messages": "/admin/messaging/message/",
        "message": f"/admin/messaging/message/{message.pk}/change/",
        "number": f"/admin/messaging/businessnumber/{number().pk}/change/",
        "subscription": f"/admin/messaging/subscription/{subscription().pk}/change/",
        "client": f"/admin/messaging/apiclient/{ApiClient.objects.create(name='shop').pk}/change/",
        "not-found": "/admin/nothing/",
        "login": "/admin/login/",
        "docs": "/api/docs/",
    }
    page = open_page("/admin/", color_scheme=theme)
    refused: list[str] = []

    def listen(line: ConsoleMessage) -> None:
        if "Content Security Policy" in line.text:
            refused.append(line.text)

    page.on("console", listen)
    for name, path in pages.items():
        page.goto(path)
        if name == "docs":
            wait_until(page, SWAGGER_IS_DRAWN)
        check_looks(page, theme, f"object-{name}", axe=name != "docs")  # Swagger's own page
    assert refused == []


def test_the_id_of_a_message_is_copied(open_page: OpenPage) -> None:
    message = in_state(Status.FAILED)
    page = open_page(
        f"/admin/messaging/message/{message.pk}/change/",
        permissions=["clipboard-read", "clipboard-write"],
    )  # fmt: skip
    page.click("text=Copy id")
    page.wait_for_selector("text=Copied")
    assert page.evaluate("navigator.clipboard.readText()") == str(message.pk)
