"""Each handler of Meta's events: what is held, paused or stored, who is alerted, and what the audit log has."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import TestCase

from messaging.incoming.store import receive
from messaging.meta_events import HANDLERS
from messaging.meta_events.meta_event import META
from messaging.models import Account, AuditEntry, BusinessNumber, Contact, Hold, Message, Portfolio, Template
from tests.messaging.factories import number, pending, release_due
from tests.messaging.message_templates.rows import synced_template
from tests.messaging.meta_events.events import WABA

pytestmark = pytest.mark.django_db
OFFER = {"message_template_name": "offer", "message_template_language": "en"}
STATUS, QUALITY = "message_template_status_update", "message_template_quality_update"
NUMBER_QUALITY, NAME = "phone_number_quality_update", "phone_number_name_update"
OF_NUMBER = {"display_phone_number": "15550783881"}


@dataclass(frozen=True)
class Row:
    """An event, and what it leads to. `held`: the keys of holds; `alerts`: their kinds; `audit`: the actions."""

    kind: str
    value: dict[str, Any]
    held: tuple[str, ...] = ()
    is_paused: bool = False
    alerts: tuple[str, ...] = ()
    audit: tuple[str, ...] = ()


def status(event: str, **more: Any) -> dict[str, Any]:
    return {**OFFER, "event": event, **more}


def restriction(kind: str) -> dict[str, Any]:
    listed = [{"restriction_type": kind, "expiration": 4_102_444_800}]
    return {"event": "ACCOUNT_RESTRICTION", "restriction_info": listed}


def ban(state: str) -> dict[str, Any]:
    return {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state}}


ROWS = {
    "paused": Row(STATUS, status("PAUSED"), ("offer",), audit=("hold",)),
    "disabled": Row(STATUS, status("DISABLED"), ("offer",), audit=("hold",)),
    "rejected": Row(STATUS, status("REJECTED", reason="ABUSIVE_CONTENT"), ("offer",), audit=("hold",)),
    "approved": Row(STATUS, status("APPROVED")),
    "flagged": Row(STATUS, status("FLAGGED"), alerts=("template",), audit=("template flagged",)),
    "quality": Row(QUALITY, {**OFFER, "new_quality_score": "RED"}, alerts=("template",), audit=("template quality",)),
    "category": Row(
        "template_category_update",
        {**OFFER, "new_category": "MARKETING"},
        alerts=("template",),
        audit=("template category",),
    ),
    "components": Row("message_template_components_update", {**OFFER, "message_template_element": "Hi"}),
    "review": Row("account_review_update", {"decision": "REJECTED"}, alerts=("account",), audit=("account review",)),
    "templates restricted": Row(
        "account_update",
        restriction("RESTRICTED_BIZ_INITIATED_MESSAGING"),
        ("",),
        alerts=("account",),
        audit=("restriction", "hold"),
    ),
    "all restricted": Row(
        "account_update",
        restriction("RESTRICTED_CUSTOMER_INITIATED_MESSAGING"),
        is_paused=True,
        alerts=("account",),
        audit=("restriction", "pause"),
    ),
    "violation": Row(
        "account_update",
        {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SPAM"}},
        alerts=("account",),
        audit=("violation",),
    ),
    "banned": Row(
        "account_update",
        ban("DISABLE"),
        is_paused=True,
        alerts=("account",),
        audit=("ban", "pause"),
    ),
    "ban announced": Row(
        "account_update",
        ban("SCHEDULE_FOR_DISABLE"),
        alerts=("account",),
        audit=("ban",),
    ),
    "deleted": Row(
        "account_update", {"event": "ACCOUNT_DELETED"}, is_paused=True, alerts=("account",), audit=("pause",)
    ),
    **{
        event: Row("account_update", {"event": event}, alerts=("account",), audit=("disconnected",))
        for event in ("ACCOUNT_OFFBOARDED", "PARTNER_REMOVED", "PARTNER_APP_UNINSTALLED")
    },
    "number flagged": Row(
        NUMBER_QUALITY, {**OF_NUMBER, "event": "FLAGGED"}, alerts=("number",), audit=("number quality",)
    ),
    "number downgraded": Row(
        NUMBER_QUALITY, {**OF_NUMBER, "event": "DOWNGRADE"}, alerts=("number",), audit=("number quality",)
    ),
    **{
        f"number {event.lower()}": Row(NUMBER_QUALITY, {**OF_NUMBER, "event": event}, audit=("number quality",))
        for event in ("UNFLAGGED", "UPGRADE", "ONBOARDING")
    },
    "throughput": Row(NUMBER_QUALITY, {**OF_NUMBER, "event": "THROUGHPUT_UPGRADE"}, audit=("number quality",)),
    "name refused": Row(NAME, {**OF_NUMBER, "decision": "REJECTED"}, alerts=("number",), audit=("number name",)),
    "reinstated": Row(
        "account_update",
        ban("REINSTATE"),
        audit=("ban",),
    ),
}


@pytest.fixture
def sender() -> BusinessNumber:
    """A number of the account, and an approved template."""
    synced_template("offer", waba_id=WABA)
    row = number(rate=80)
    BusinessNumber.objects.filter(pk=row.pk).update(waba_id=WABA, display_phone_number="15550783881")
    return row


def say(kind: str, value: dict[str, Any], at: int = 1_790_000_000) -> None:
    """Meta's webhook, and its commit."""
    entry = {"id": WABA, "time": at, "changes": [{"field": kind, "value": value}]}
    with TestCase.captureOnCommitCallbacks(execute=True):
        receive({"object": "whatsapp_business_account", "entry": [entry]})


def happened(sender: BusinessNumber, heard: list[tuple[str, str]]) -> Row:
    """What is held, paused, alerted and audited now."""
    sender.refresh_from_db()
    held = Hold.objects.filter(resumed_at=None).order_by("pk").values_list("key", flat=True)
    audit = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    kinds = tuple(sorted({kind for kind, _ in heard if kind in {"template", "account", "number"}}))
    return Row("", {}, tuple(held), sender.paused_at is not None, kinds, tuple(audit))


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_an_event_of_meta_takes_effect(row: Row, sender: BusinessNumber, alerts: list[tuple[str, str]]) -> None:
    say(row.kind, row.value)
    found = happened(sender, alerts)
    assert (found.held, found.is_paused, found.alerts, found.audit) == (
        row.held,
        row.is_paused,
        row.alerts,
        row.audit,
    )


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_an_event_leaves_the_numbers_of_other_accounts_as_they_are(row: Row, sender: BusinessNumber) -> None:
    for name, paused_at in (("running", None), ("paused", datetime.now(UTC))):
        BusinessNumber.objects.create(phone_number_id=name, waba_id="another", paused_at=paused_at, paused_by=META)
    others = BusinessNumber.objects.filter(waba_id="another").order_by("pk")
    before = list(others.values("paused_at", "quality", "rate"))
    say(row.kind, row.value)
    assert list(others.all().values("paused_at", "quality", "rate")) == before


def test_every_reaction_has_a_row() -> None:
    events = {(row.kind, row.value.get("event", "")) for row in ROWS.values()}
    assert {key for key in HANDLERS if not any(key in {event, (event[0], "")} for event in events)} == set()


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_same_event_twice_has_one_effect(row: Row, sender: BusinessNumber, alerts: list[tuple[str, str]]) -> None:
    say(row.kind, row.value)
    before = happened(sender, alerts)
    say(row.kind, row.value)
    assert happened(sender, alerts) == before


def test_a_paused_template_goes_on_once_it_is_approved(sender: BusinessNumber) -> None:
    say(STATUS, status("PAUSED"))
    say(STATUS, status("APPROVED"), 1_790_000_060)
    assert not Hold.objects.filter(resumed_at=None).exists()


def test_restrictions_are_stored_and_named_one_after_the_other(sender: BusinessNumber) -> None:
    kinds = ("RESTRICTED_ADD_PHONE_NUMBER_ACTION", "RESTRICTED_CUSTOMER_INITIATED_MESSAGING")
    listed = [{"restriction_type": kind} for kind in kinds]
    say("account_update", {"event": "ACCOUNT_RESTRICTION", "restriction_info": listed})
    assert Account.objects.get(waba_id=WABA).restriction == ", ".join(kinds)


def test_events_of_one_webhook_take_effect_in_the_order_of_metas_times(sender: BusinessNumber) -> None:
    later, earlier = (
        {"id": WABA, "time": at, "changes": [{"field": "account_update", "value": ban(state)}]}
        for at, state in ((1_790_000_060, "REINSTATE"), (1_790_000_000, "DISABLE"))
    )
    receive({"object": "whatsapp_business_account", "entry": [later, earlier]})
    sender.refresh_from_db()
    assert sender.paused_at is None


@pytest.mark.parametrize(
    "late",
    [ban("DISABLE"), {"event": "ACCOUNT_RESTRICTION", "restriction_info": [{"restriction_type": "RESTRICTED_ALL"}]}],
    ids=["ban", "restriction"],
)
def test_a_ban_that_comes_after_its_later_end_pauses_no_number(late: dict[str, Any], sender: BusinessNumber) -> None:
    say("account_update", ban("REINSTATE"), 1_790_000_060)
    say("account_update", late, 1_790_000_000)
    sender.refresh_from_db()
    assert (sender.paused_at, Hold.objects.count()) == (None, 0)


def test_an_end_of_a_ban_that_comes_after_a_later_ban_resumes_no_number(sender: BusinessNumber) -> None:
    say("account_update", ban("DISABLE"), 1_790_000_060)
    say("account_update", ban("REINSTATE"), 1_790_000_000)
    sender.refresh_from_db()
    assert sender.paused_at is not None


def test_a_restriction_after_an_earlier_end_pauses_the_numbers(sender: BusinessNumber) -> None:
    say("account_update", ban("REINSTATE"), 1_790_000_000)
    say("account_update", {"event": "ACCOUNT_RESTRICTION"}, 1_790_000_060)
    sender.refresh_from_db()
    assert sender.paused_at is not None


def test_an_older_decision_on_a_name_or_an_account_that_comes_late_changes_nothing(sender: BusinessNumber) -> None:
    for kind, value in ((NAME, OF_NUMBER), ("account_review_update", {})):
        say(kind, {**value, "decision": "APPROVED"}, 1_790_000_060)
        say(kind, {**value, "decision": "REJECTED"}, 1_790_000_000)
    sender.refresh_from_db()
    assert (sender.name_status, Account.objects.get(waba_id=WABA).review_status) == ("APPROVED", "APPROVED")


def test_an_older_webhook_that_comes_late_changes_nothing(sender: BusinessNumber) -> None:
    say(STATUS, status("APPROVED"), 1_790_000_060)
    say(STATUS, status("PAUSED"), 1_790_000_000)
    assert Template.objects.get().status == "APPROVED"


def test_only_the_language_that_was_paused_is_held(sender: BusinessNumber) -> None:
    synced_template("offer", "de", WABA)
    say(STATUS, {**status("PAUSED"), "message_template_language": "de"})
    assert list(Hold.objects.values_list("key", "language", "waba_id")) == [("offer", "de", WABA)]


def test_a_reinstated_account_leaves_what_a_person_has_paused(sender: BusinessNumber) -> None:
    BusinessNumber.objects.filter(pk=sender.pk).update(paused_at=datetime.now(UTC), paused_by="ann")
    say("account_update", ban("REINSTATE"))
    sender.refresh_from_db()
    assert sender.paused_at is not None


@pytest.mark.parametrize(
    ("events", "quality"),
    [
        (["FLAGGED"], "RED"),
        (["FLAGGED", "UNFLAGGED"], "UNKNOWN"),
        (["FLAGGED", "ONBOARDING"], "RED"),
        (["UPGRADE"], ""),
    ],
)
def test_the_quality_of_a_number_follows_metas_events(events: list[str], quality: str, sender: BusinessNumber) -> None:
    for n, event in enumerate(events):
        say(NUMBER_QUALITY, {**OF_NUMBER, "event": event}, 1_790_000_000 + n)
    sender.refresh_from_db()
    assert sender.quality == quality


@pytest.mark.parametrize("event", ["DOWNGRADE", "UPGRADE", "ONBOARDING"])
def test_a_limit_in_an_event_of_a_number_is_that_of_its_portfolio(event: str, sender: BusinessNumber) -> None:
    say(NUMBER_QUALITY, {**OF_NUMBER, "event": event, "max_daily_conversations_per_business": "TIER_2K"})
    assert list(Portfolio.objects.values_list("tier", "users_a_day")) == [("TIER_2K", 2000)]


def test_messages_that_wait_need_consent_once_meta_makes_their_template_marketing(sender: BusinessNumber) -> None:
    Contact.objects.create(phone="15550000000", phone_key="15550000000", opted_out_at=datetime.now(UTC))
    (waiting,) = pending()
    Message.objects.filter(pk=waiting.pk).update(type="template", template="offer")
    say("template_category_update", {**OFFER, "new_category": "MARKETING"})
    released = release_due()
    waiting.refresh_from_db()
    assert (released, waiting.status) == ([], "cancelled")
