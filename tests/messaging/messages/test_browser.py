"""A message's page and the error pages in a browser: they fit, can be read, and keep to their content policy."""

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import ConsoleMessage

from messaging.models import ApiClient, Message
from messaging.states import Status
from monitoring.models import Alert
from tests.messaging.factories import in_state, number
from tests.messaging.subscriptions.cast import subscription
from tests.pages import (
    THEMES,
    both_widths,
    browser,
    cut_cells,
    name_of,
    needs_chromium,
    open_page,
    overhang,
    picture,
    serious_faults_in,
)

__all__ = ["browser"]
pytestmark = [needs_chromium, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("theme", THEMES)
def test_the_pages_of_objects_fit_and_can_be_read(browser: Any, live_server: Any, theme: str) -> None:
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
    page = open_page(browser, live_server, "/admin/", color_scheme=theme)
    refused: list[str] = []

    def listen(line: ConsoleMessage) -> None:
        if "Content Security Policy" in line.text:
            refused.append(line.text)

    page.on("console", listen)
    faults = {}
    for name, path in pages.items():
        page.goto(live_server.url + path)
        page.wait_for_load_state("networkidle")
        for look in both_widths(page, theme):
            picture(page, f"object-{name}-{name_of(look)}")
            axe = [] if name == "docs" else serious_faults_in(look, page)  # Swagger's own page
            faults[name, name_of(look)] = (axe, overhang(page, look), cut_cells(page))
    assert faults == dict.fromkeys(faults, ([], 0, 0))
    assert (refused, page.errors, page.foreign) == ([], [], [])
    page.context.close()


def test_the_id_of_a_message_is_copied(browser: Any, live_server: Any) -> None:
    message = in_state(Status.FAILED)
    page = open_page(
        browser, live_server, f"/admin/messaging/message/{message.pk}/change/",
        permissions=["clipboard-read", "clipboard-write"],
    )  # fmt: skip
    page.click("text=Copy id")
    page.wait_for_selector("text=Copied")
    assert page.evaluate("navigator.clipboard.readText()") == str(message.pk)
    page.context.close()
