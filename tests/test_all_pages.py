"""Every staff page that is a list, a form, a report or an error, on a phone's and a desk's screen, light and dark."""

from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from messaging.incoming.store import receive
from messaging.models import Contact, Message, MessageEvent
from messaging.states import Status
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.factories import in_state
from tests.pages import THEMES, OpenPage, both_widths, name_of, needs_chromium, overhang, picture, scrolling_regions

pytestmark = [needs_chromium, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sqs")]
LISTS = {
    str(model._meta.verbose_name_plural): reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    for model in admin.site._registry
}
OTHERS = {
    "index": "/admin/",
    "dashboard": "/monitoring/dashboard",
    "analytics": "/analytics/",
    "analytics of nothing": "/analytics/?since=2025-01-01&until=2025-01-02",
    "a wrong question": "/analytics/?timezone=Mars",
    "dead letters": "/monitoring/dlq/incoming",
    "not found": "/admin/nothing/",
    "nothing there": "/nothing",
    "API": "/api/docs/",
}
# Text that its element hides, and that neither scrolling nor an ellipsis gives away.
CUT = """() => [...document.querySelectorAll("body *")].filter((element) => {
  const style = getComputedStyle(element);
  return style.overflowX === "hidden" && style.textOverflow !== "ellipsis" && element.clientWidth > 8
    && element.innerText && element.scrollWidth > element.clientWidth + 1 && !element.closest("[aria-hidden=true]");
}).map((element) => element.outerHTML.slice(0, 120))"""


@pytest.fixture
def paths() -> dict[str, str]:
    """A page of each kind, with rows in the lists that everybody opens."""
    receive(webhook(inbound_text(sender="15551230001", text="Is my order on its way? " * 20), name="Ann " * 15))
    failed = in_state(Status.FAILED, error_code=131026, error_title="Message undeliverable")
    received = Message.objects.get(direction="inbound")
    Message.objects.filter(pk=failed.pk).update(wamid="wamid." + "HBgXVVMuMTM0OTEyMDg2NTUz" * 4)
    return {
        **LISTS,
        **OTHERS,
        "message": reverse("admin:messaging_message_change", args=[failed.pk]),
        "conversation": reverse("admin:messaging_conversation_change", args=[received.pk]),
        "contact": reverse("admin:messaging_contact_change", args=[Contact.objects.get().pk]),
    }


@pytest.mark.parametrize("theme", THEMES)
def test_no_page_is_wider_than_its_screen_or_hides_text(open_page: OpenPage, paths: dict[str, str], theme: str) -> None:
    page = open_page("/admin/", color_scheme=theme)
    faults: dict[tuple[str, str], Any] = {}
    for name, path in paths.items():
        page.goto(path)
        for look in both_widths(page, theme):
            picture(page, f"all-{name.replace(' ', '-')}-{name_of(look)}")
            faults[name, name_of(look)] = (overhang(page, look), page.evaluate(CUT))
    assert {where: found for where, found in faults.items() if found != (0, [])} == {}


@pytest.mark.parametrize("width", [1024, 1280])
def test_the_choice_of_permissions_fits_a_small_desk(open_page: OpenPage, width: int) -> None:
    page = open_page("/admin/auth/group/add/", viewport={"width": width, "height": 800})
    page.wait_for_selector(".selector-chosen")
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_on_a_phone_a_messages_page_does_not_scroll_sideways(open_page: OpenPage, paths: dict[str, str]) -> None:
    page = open_page(paths["message"], viewport={"width": 390, "height": 844})
    MessageEvent.objects.create(message_id=paths["message"].split("/")[-3], status="sent", at=timezone.now(),
        source="webhook", pricing_type="free_customer_service", pricing_category="service", billable=False)  # fmt: skip
    page.reload()
    assert scrolling_regions(page) == []
