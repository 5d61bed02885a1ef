"""`failed` statuses whose code allows another attempt: Meta accepted the message and gave up for a passing reason.

A token or quality code stops its number and keeps the message; a temporary one is tried again within the attempts;
Meta's cap on marketing for a user (131049) is tried once more a day later. Nothing of this can send twice: the attempt
has failed by Meta's own word.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from messaging.lifecycle import Change, Logged, advance_many
from messaging.models import Message
from messaging.outgoing import retry_policy
from messaging.outgoing.holds.suspensions import Report, apply_stops
from messaging.outgoing.retry_settings import limits
from messaging.states import Status
from messaging.whatsapp.errors import from_failed_status


def give_another_chance(changes: Sequence[Change], logged: Sequence[Logged]) -> None:
    """Put back in line what failed just now, by these changes, where its code allows. Inside a transaction."""
    moved = {event.message_id for event in logged if event.applied and event.status is Status.FAILED}
    failures = {
        change.message_id: change for change in changes if change.status is Status.FAILED and change.message_id in moved
    }
    if not failures:
        return
    retries: list[Change] = []
    reports: list[Report] = []
    exhausted: list[Message] = []
    for message in Message.objects.filter(pk__in=failures).order_by("pk"):
        change = failures[message.pk]
        error = from_failed_status(change.error_code, change.error_title)
        so_far = retry_policy.SoFar(max(0, message.attempts - 1), capped=message.capped_at is not None)
        decision = retry_policy.decide(error, so_far, limits())
        if decision.exhausted:
            exhausted.append(message)
        if decision.stop:
            reason = f"{change.error_code}: {change.error_title}"
            reports.append(Report(message.number_id, message.peer, message.template, decision.stop, reason))
        if decision.status is Status.PENDING:
            wait = decision.stop.wait if decision.wait is None and decision.stop else decision.wait
            retries.append(_again(message, wait or 0.0, decision))
    Message.objects.filter(pk__in=[message.pk for message in exhausted]).update(exhausted_at=timezone.now())
    advance_many(retries)
    apply_stops(reports, {})


def _again(message: Message, wait: float, decision: retry_policy.Decision) -> Change:
    now = timezone.now()
    return Change(
        message.pk,
        Status.PENDING,
        now,
        "webhook",
        due_at=now + timedelta(seconds=wait),
        # The attempt that Meta accepted was counted then.
        caps=decision.caps,
        expected=Status.FAILED,
    )
