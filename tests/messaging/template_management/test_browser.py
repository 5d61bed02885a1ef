"""The admin's pages of templates, accounts and numbers in a browser, with values as long as Meta's may be."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from messaging.models import Account, BusinessNumber, Hold, Template
from testkit.waiting import eventually
from tests.messaging.factories import number
from tests.messaging.message_templates.rows import synced_template
from tests.pages import (
    THEMES,
    OpenPage,
    both_widths,
    cut_cells,
    name_of,
    needs_chromium,
    overhang,
    picture,
    scrolling_regions,
    serious_faults_in,
)

pytestmark = [needs_chromium, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sqs")]
# The theme's lists are laid out anew a moment after the window's width has changed.
SETTLED_S = 5.0
WABA = "102290129340398"
LONG_NAME = "order_shipped_with_tracking_and_a_very_long_name_" * 4
LINK = "https://example.com/" + "a-long-part-of-an-address" * 6
URL = {"type": "URL", "text": "Track your parcel", "url": "https://example.com/{{1}}", "example": [LINK]}
REPLY = {"type": "QUICK_REPLY", "text": "Stop promotions"}
IMAGE = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": [LINK]}}
BODY = {
    "type": "BODY",
    "text": "Hi {{customer}}, your order {{order}} is on its way.\n\n" + "It arrives soon. " * 20 + "w" * 120,
    "example": {"body_text_named_params": [{"param_name": "customer", "example": "Ann " * 20},
                                           {"param_name": "order", "example": "4711"}]},
}  # fmt: skip
RICH = [IMAGE, BODY, {"type": "FOOTER", "text": "Example shop, 12 Long Street"}, {
    "type": "BUTTONS", "buttons": [URL, REPLY, {"type": "COPY_CODE", "example": "SPRING25"}]}]  # fmt: skip
CARD = {"components": [IMAGE, {"type": "BODY", "text": "{{1}}"}, {"type": "BUTTONS", "buttons": [URL, REPLY]}]}
CARDS = [{"type": "BODY", "text": "New arrivals for {{1}}"}, {"type": "CAROUSEL", "cards": [CARD] * 4}]
# Text that its element hides, and that neither scrolling nor an ellipsis gives away.
CUT = """() => [...document.querySelectorAll("#content *")].filter((element) => {
  const style = getComputedStyle(element);
  return ["hidden", "clip"].includes(style.overflowX) && style.textOverflow !== "ellipsis" && element.clientWidth > 8
    && element.innerText && element.scrollWidth > element.clientWidth + 1;
}).map((element) => element.outerHTML.slice(0, 120))"""

# On a phone a list's cell has its label before it, of at most two lines of 20 pixels; a third one is a broken word.
BROKEN_LABELS = """() => [...document.querySelectorAll("#result_list tbody :is(td, th)")]
  .filter((cell) => parseFloat(getComputedStyle(cell, "::before").height) > 45)
  .map((cell) => cell.dataset.label)"""


@pytest.fixture
def paths() -> dict[str, str]:
    """A page of each kind, with an account, its numbers and its templates."""
    rich = synced_template(
        LONG_NAME, "en_US", WABA, components=RICH, category="MARKETING", status="PAUSED", quality="RED",
        parameter_format="NAMED", reason="PROMOTIONAL " * 12, status_at=timezone.now(),
    )  # fmt: skip
    cards = synced_template("new_arrivals", "de", WABA, components=CARDS, quality="GREEN")
    rejected = synced_template("rejected", "pt_BR", WABA, status="REJECTED", reason="TAG_CONTENT_MISMATCH")
    for name, quality in (("one_time_code", ""), ("order_ready", "YELLOW"), ("bill", "UNKNOWN")):
        synced_template(name, waba_id=WABA, quality=quality)
    Hold.objects.create(kind="template", key=LONG_NAME, by="system", waba_id=WABA, language="en_US",
        reason="WhatsApp has paused the template since its quality is low (132015)")  # fmt: skip
    Account.objects.filter(waba_id=WABA).update(
        name="Example shop and its very long name of a company " * 3, portfolio_id="2729063490586005", currency="EUR",
        timezone_id="42", review_status="APPROVED", ban_state="SCHEDULE_FOR_DISABLE", synced_at=timezone.now(),
        restriction="RESTRICTED_BIZ_INITIATED_MESSAGING until 2027-01-01T00:00:00Z, RESTRICTED_ADD_PHONE_NUMBER_ACTION",
    )  # fmt: skip
    BusinessNumber.objects.filter(pk=number().pk).update(
        waba_id=WABA, display_phone_number="+1 555 123 4567", verified_name="Example shop " * 8, quality="RED",
        throughput="STANDARD", messaging_limit="TIER_2K", status="CONNECTED", account_mode="LIVE", portfolio="shop",
        name_status="AVAILABLE_WITHOUT_REVIEW", synced_at=timezone.now(), paused_at=timezone.now(), paused_by="system",
        pause_reason="WhatsApp has locked the account since a payment is missing (131042). Pay, then resume it.",
    )  # fmt: skip
    return {
        "templates": _list(Template),
        "template": _page(rich),
        "template with cards": _page(cards),
        "rejected template": _page(rejected),
        "accounts": _list(Account),
        "account": _page(Account.objects.get()),
        "new account": reverse("admin:messaging_account_add"),
        "numbers": _list(BusinessNumber),
        "number": _page(BusinessNumber.objects.get()),
        "new number": reverse("admin:messaging_businessnumber_add"),
    }


def _list(model: Any) -> str:
    return reverse(f"admin:messaging_{model._meta.model_name}_changelist")


def _page(row: Any) -> str:
    return reverse(f"admin:messaging_{row._meta.model_name}_change", args=[row.pk])


def settled_regions(page: Any) -> list[str]:
    """The parts that scroll sideways, but for the cards of a carousel, once lists are laid out for the new width."""
    found: list[str] = []

    def none() -> bool:
        found[:] = [region for region in scrolling_regions(page) if region != "Cards"]
        return not found

    eventually(none, SETTLED_S, 0.05)
    return found


@pytest.mark.parametrize("theme", THEMES)
def test_the_pages_of_templates_accounts_and_numbers_fit_and_can_be_read(
    open_page: OpenPage, paths: dict[str, str], theme: str
) -> None:
    page = open_page("/admin/", color_scheme=theme)
    faults: dict[tuple[str, str], Any] = {}
    for name, path in paths.items():
        page.goto(path)
        for look in both_widths(page, theme):
            picture(page, f"meta-{name.replace(' ', '-')}-{name_of(look)}")
            sideways = settled_regions(page)
            hidden = (*page.evaluate(CUT), *page.evaluate(BROKEN_LABELS))
            faults[name, name_of(look)] = (
                overhang(page, look), cut_cells(page), sideways, hidden, serious_faults_in(look, page)
            )  # fmt: skip
    assert {where: found for where, found in faults.items() if found != (0, 0, [], (), [])} == {}
