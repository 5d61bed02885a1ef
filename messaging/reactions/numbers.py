"""Reactions to Meta's events about a business number."""

from collections.abc import Mapping

from django.db.models import Q

from messaging.access import record_action
from messaging.accounts import RATES, record_number
from messaging.lifecycle import alert
from messaging.models import BusinessNumber
from messaging.reactions.given import META, Given

_HIGH = "HIGH"


def number_quality(given: Given) -> None:
    """FLAGGED is an alert; THROUGHPUT_UPGRADE raises the number's pace to Meta's new limit."""
    event, limit = given.event.event, given.text("current_limit", 40)
    facts = {"messaging_limit": limit if limit != "NOT_SET" else ""}
    if event == "FLAGGED":
        facts["quality"] = "RED"
    if event == "THROUGHPUT_UPGRADE":
        facts["throughput"] = _HIGH
    for pk in _record(given, facts):
        if event == "FLAGGED":
            alert("number", pk, "Meta has flagged the number because of its quality")
        if event == "THROUGHPUT_UPGRADE":
            BusinessNumber.objects.filter(pk=pk, rate__lt=RATES[_HIGH]).update(rate=RATES[_HIGH])
        record_action(META, "number quality", f"number {pk}", event=event)


def number_name(given: Given) -> None:
    """Meta's decision on a display name: stored; a refusal is an alert."""
    decision = given.text("decision", 40)
    name = given.text("requested_verified_name") if decision == "APPROVED" else ""
    for pk in _record(given, {"name_status": decision, "verified_name": name}):
        record_action(META, "number name", f"number {pk}", decision=decision)
        if decision in {"REJECTED", "DECLINED"}:
            alert("number", pk, f"Meta's decision on the display name: {decision}")


def _record(given: Given, facts: Mapping[str, str]) -> list[int]:
    """Store facts of the number that the event names, by its id or by its digits; its primary key."""
    digits = "".join(filter(str.isdigit, given.event.subject))
    which = Q(pk=None)
    if given.event.phone_number_id:
        which |= Q(phone_number_id=given.event.phone_number_id)
    if digits:
        which |= Q(display_phone_number=digits, waba_id__in=["", given.waba_id])
    return record_number(which, facts)
