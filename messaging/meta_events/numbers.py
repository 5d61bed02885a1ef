"""Reactions to Meta's events about a business number."""

from collections.abc import Mapping

from django.db.models import Q

from messaging.access import record_action
from messaging.accounts import RATES, record_number
from messaging.lifecycle import alert
from messaging.meta_events.meta_event import META, MetaEvent, later_events
from messaging.models import BusinessNumber

_HIGH = "HIGH"
_QUALITIES = {"FLAGGED": "RED", "UNFLAGGED": "UNKNOWN"}
_ALERTS = {
    "FLAGGED": "Meta has flagged the number because of its quality",
    "DOWNGRADE": "Meta has lowered the messaging limit because of the number's quality",
}


def number_quality(event: MetaEvent) -> None:
    """Of today's events THROUGHPUT_UPGRADE raises the pace to Meta's new limit, and ONBOARDING names the limit.

    Older versions of the API also report the quality: FLAGGED and DOWNGRADE are alerts. UNFLAGGED says that it is
    no longer low, but not what it is: the next sync does.
    """
    change, limit = event.update.event, event.text("current_limit", 40)
    facts = {"messaging_limit": limit if limit != "NOT_SET" else ""}
    facts["quality"] = _QUALITIES.get(change, "")
    if change == "THROUGHPUT_UPGRADE":
        facts["throughput"] = _HIGH
    for pk in _record(event, facts):
        if change in _ALERTS:
            alert("number", pk, _ALERTS[change])
        if change == "THROUGHPUT_UPGRADE":
            BusinessNumber.objects.filter(pk=pk, rate__lt=RATES[_HIGH]).update(rate=RATES[_HIGH])
        record_action(META, "number quality", f"number {pk}", event=change)


def number_name(event: MetaEvent) -> None:
    """Meta's decision on a display name: stored; a refusal is an alert. The latest counts."""
    if later_events(event).exists():
        return
    decision = event.text("decision", 40)
    name = event.text("requested_verified_name") if decision == "APPROVED" else ""
    for pk in _record(event, {"name_status": decision, "verified_name": name}):
        record_action(META, "number name", f"number {pk}", decision=decision)
        if decision in {"REJECTED", "DECLINED"}:
            alert("number", pk, f"Meta's decision on the display name: {decision}")


def _record(event: MetaEvent, facts: Mapping[str, str]) -> list[int]:
    """Store facts of the number that the event names, by its id or by its digits; its primary key."""
    digits = "".join(filter(str.isdigit, event.update.subject))
    which = Q(pk=None)
    if event.update.phone_number_id:
        which |= Q(phone_number_id=event.update.phone_number_id)
    if digits:
        which |= Q(pk__in=_displayed_as(digits, event.waba_id))
    return record_number(which, facts)


def _displayed_as(digits: str, waba_id: str) -> list[int]:
    """The account's numbers with these digits: Meta's webhooks name digits, its Graph API writes `+1 631-555-5555`."""
    shown = BusinessNumber.objects.filter(waba_id__in=["", waba_id]).values_list("pk", "display_phone_number")
    return [pk for pk, text in shown if "".join(filter(str.isdigit, text)) == digits]
