"""Reactions to Meta's events about a business number."""

from collections.abc import Mapping

from django.db.models import Q

from messaging.access import record_action
from messaging.accounts import RATES, record_number
from messaging.lifecycle import alert
from messaging.models import BusinessNumber
from messaging.reactions.meta_event import META, MetaEvent

_HIGH = "HIGH"


def number_quality(event: MetaEvent) -> None:
    """FLAGGED is an alert; THROUGHPUT_UPGRADE raises the number's pace to Meta's new limit."""
    change, limit = event.update.event, event.text("current_limit", 40)
    facts = {"messaging_limit": limit if limit != "NOT_SET" else ""}
    if change == "FLAGGED":
        facts["quality"] = "RED"
    if change == "THROUGHPUT_UPGRADE":
        facts["throughput"] = _HIGH
    for pk in _record(event, facts):
        if change == "FLAGGED":
            alert("number", pk, "Meta has flagged the number because of its quality")
        if change == "THROUGHPUT_UPGRADE":
            BusinessNumber.objects.filter(pk=pk, rate__lt=RATES[_HIGH]).update(rate=RATES[_HIGH])
        record_action(META, "number quality", f"number {pk}", event=change)


def number_name(event: MetaEvent) -> None:
    """Meta's decision on a display name: stored; a refusal is an alert."""
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
        which |= Q(display_phone_number=digits, waba_id__in=["", event.waba_id])
    return record_number(which, facts)
