"""Retries after `failed` statuses: Meta accepted the message and gave up for a reason that may pass.

A token or quality code pauses the number and keeps the message; a temporary one is retried within the attempts; Meta's
cap on marketing for a user (131049) is retried once, a day later. A message that Meta's template pacing has dropped
(132015) waits for its template, as those that were not sent yet. None of this can send twice: Meta itself has reported
the attempt as failed. What another app has sent, and what has no text any more, stays failed.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from messaging.lifecycle import Change, RecordedEvent, advance_many
from messaging.models import Message, MessageEvent
from messaging.outgoing import retry_policy
from messaging.outgoing.holds.suspensions import Refusal, apply_suspensions
from messaging.outgoing.retry_settings import limits
from messaging.states import Status
from messaging.whatsapp.errors import Scope, from_failed_status
from messaging.whatsapp.outbound.template import language_of


def retry_failed_statuses(recorded: Sequence[RecordedEvent]) -> None:
    """Make messages pending that these statuses have failed, where the code allows it. Inside a transaction."""
    if refusals := _retry_failed(recorded):
        apply_suspensions(refusals, {})


def retry_early_failures(recorded: Sequence[RecordedEvent]) -> list[Refusal]:
    """The same for failures that came before the answer of their call, in the transaction that has applied them.

    Returns the refusals for the caller, which has others: suspensions are applied in one go, in their lock order.
    """
    accepted = {event.message_id for event in recorded if event.applied and event.status is Status.ACCEPTED}
    return _retry_failed([event for event in recorded if event.message_id in accepted])


def _retry_failed(recorded: Sequence[RecordedEvent]) -> list[Refusal]:
    """Make the messages pending; returns the refusals that suspend more than their message."""
    failed = [event.event_id for event in recorded if event.applied and event.status is Status.FAILED]
    if not failed:
        return []
    # From the trail: of several failures of one message these have failed it.
    failures = {event.message_id: event for event in MessageEvent.objects.filter(pk__in=failed)}
    retries: list[Change] = []
    refusals: list[Refusal] = []
    exhausted: list[Message] = []
    for message in Message.objects.filter(pk__in=failures, status=Status.FAILED).order_by("pk"):
        failure = failures[message.pk]
        error = from_failed_status(failure.error_code, failure.error_title)
        history = retry_policy.AttemptHistory(max(0, message.attempts - 1), capped=message.capped_at is not None)
        decision = retry_policy.decide(error, history, limits())
        if decision.suspension:
            refusals.append(_refusal(message, failure, decision.suspension))
        if not message.can_be_sent_again:
            continue
        if decision.exhausted:
            exhausted.append(message)
        if decision.status is Status.PENDING:
            retries.append(_retry(message, _wait(message, decision), decision))
    Message.objects.filter(pk__in=[message.pk for message in exhausted]).update(exhausted_at=timezone.now())
    advance_many(retries)
    return refusals


def _wait(message: Message, decision: retry_policy.Decision) -> float:
    """In seconds. A message of a suspended template is due at once: the hold stops it until Meta approves it."""
    if decision.wait is not None or decision.suspension is None:
        return decision.wait or 0.0
    if decision.suspension.scope is Scope.TEMPLATE and message.template:
        return 0.0
    return decision.suspension.wait or 0.0


def _refusal(message: Message, failure: MessageEvent, suspension: retry_policy.Suspension) -> Refusal:
    return Refusal(
        message.number_id,
        message.peer,
        message.template,
        suspension,
        f"{failure.error_code}: {failure.error_title}",
        called_at=failure.at,
        language=language_of(message.content) if message.template else "",
    )


def _retry(message: Message, wait: float, decision: retry_policy.Decision) -> Change:
    now = timezone.now()
    return Change(
        message.pk,
        Status.PENDING,
        now,
        "webhook",
        due_at=now + timedelta(seconds=wait),
        # Meta's acceptance has counted the attempt already.
        caps=decision.caps,
        expected=Status.FAILED,
    )
