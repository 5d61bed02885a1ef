"""Reactions to Meta's events about an account."""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Q

from messaging.access import record_action
from messaging.accounts import record_account
from messaging.lifecycle import alert
from messaging.meta_events.meta_event import META, MetaEvent, later_events
from messaging.models import BusinessNumber
from messaging.outgoing import hold_template, pause_numbers, release_template, resume_numbers
from messaging.whatsapp.inbound import fields

# Templates are refused; answers to users still go.
_TEMPLATES_RESTRICTED = "RESTRICTED_BIZ_INITIATED_MESSAGING"
# Messages are not concerned.
_HARMLESS_RESTRICTIONS = frozenset({"RESTRICTED_ADD_PHONE_NUMBER_ACTION"})
ALL_TEMPLATES = ""
_BAN, _REINSTATED = "DISABLED_UPDATE", "REINSTATE"


def review(event: MetaEvent) -> None:
    """Meta's review of the account: stored; anything but APPROVED is an alert."""
    if later_events(event).exists():
        return
    decision = event.text("decision", 40)
    record_account(event.waba_id, review_status=decision)
    record_action(META, "account review", f"account {event.waba_id}", decision=decision)
    if decision != "APPROVED":
        alert("account", event.waba_id, f"Meta's review of the account: {decision}")


def restricted(event: MetaEvent) -> None:
    """A restriction: stored and an alert. Its templates are held until it expires, or its numbers paused.

    Nothing if the account was reinstated after it.
    """
    ends = {"event": _BAN, "raw__value__ban_info__waba_ban_state": _REINSTATED}
    if later_events(event).filter(**ends).exists():
        return
    restrictions = _restrictions(event)
    named = ", ".join(restrictions)[:255] or "not named"
    record_account(event.waba_id, restriction=named)
    record_action(META, "restriction", f"account {event.waba_id}", restrictions=named)
    alert("account", event.waba_id, f"Meta has restricted the account: {named}")
    reason = f"Meta has restricted the account: {named}"
    if _TEMPLATES_RESTRICTED in restrictions:
        hold = hold_template(
            ALL_TEMPLATES, waba_id=event.waba_id, by=META, reason=reason, until=restrictions[_TEMPLATES_RESTRICTED]
        )
        if hold.is_new:
            record_action(META, "hold", f"hold {hold.pk}", reason=reason)
    if not restrictions or restrictions.keys() - _HARMLESS_RESTRICTIONS - {_TEMPLATES_RESTRICTED}:
        _pause(event, reason)


def violated(event: MetaEvent) -> None:
    """A violation of Meta's policies: an alert, before a restriction or a ban."""
    kind = event.nested("violation_info", "violation_type") or "not named"
    record_action(META, "violation", f"account {event.waba_id}", violation=kind)
    alert("account", event.waba_id, f"Meta reports a violation of its policies: {kind}")


def banned(event: MetaEvent) -> None:
    """A ban pauses the account's numbers, its end resumes those that Meta's events have paused; the latest counts."""
    if later_events(event).filter(event=_BAN).exists():
        return
    state = event.nested("ban_info", "waba_ban_state")
    record_account(event.waba_id, ban_state=state)
    record_action(META, "ban", f"account {event.waba_id}", state=state)
    match state:
        case "DISABLE":
            _pause(event, "Meta has disabled the account")
            alert("account", event.waba_id, "Meta has disabled the account")
        case "SCHEDULE_FOR_DISABLE":
            alert("account", event.waba_id, "Meta is going to disable the account")
        case "REINSTATE":
            record_account(event.waba_id, allow_empty=True, restriction="")
            _resume(event)


def deleted(event: MetaEvent) -> None:
    """The account is deleted: its numbers are paused."""
    _pause(event, "Meta has deleted the account")
    alert("account", event.waba_id, "Meta has deleted the account")


def disconnected(event: MetaEvent) -> None:
    """The account or the app is taken from us: an alert, since sends are going to be refused."""
    record_action(META, "disconnected", f"account {event.waba_id}", event=event.update.event)
    alert("account", event.waba_id, f"The account is no longer connected: {event.update.event}")


def _restrictions(event: MetaEvent) -> dict[str, datetime | None]:
    """By type, until when."""
    listed = event.value.get("restriction_info")
    found = [each for each in (listed if isinstance(listed, list) else [])[:20] if isinstance(each, Mapping)]
    named = {fields.text(each, "restriction_type", longest=80): fields.timestamp(each, "expiration") for each in found}
    return {kind: until for kind, until in named.items() if kind}


def _pause(event: MetaEvent, reason: str) -> None:
    numbers = BusinessNumber.objects.filter(waba_id=event.waba_id) if event.waba_id else BusinessNumber.objects.none()
    for pk in pause_numbers(list(numbers.values_list("pk", flat=True)), reason=reason, by=META):
        record_action(META, "pause", f"number {pk}", reason=reason)


def _resume(event: MetaEvent) -> None:
    """What a person or an error has paused stays paused. A refusal from before this pauses no other number."""
    for pk in release_template(event.waba_id, ALL_TEMPLATES, "", by=META):
        record_action(META, "resume", f"hold {pk}", reason="Meta has reinstated the account")
    ours = Q(paused_at=None) | Q(paused_by=META)
    numbers = BusinessNumber.objects.filter(ours, waba_id=event.waba_id).exclude(waba_id="").order_by("pk")
    paused = dict(numbers.values_list("pk", "paused_at"))
    resume_numbers(list(paused))
    for pk, paused_at in paused.items():
        if paused_at is not None:
            record_action(META, "resume", f"number {pk}", reason="Meta has reinstated the account")
