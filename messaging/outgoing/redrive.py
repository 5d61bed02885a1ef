"""Redrive of failed messages: by the dead-letter queue, and by an operator.

An exhausted message is `failed` for want of attempts. Its row is an outbox: the dispatcher puts `messaging.revive` with
its id and generation on the outgoing dead-letter queue, where one view and one alarm serve all lanes. Whoever redrives
it makes the row `pending` again with fresh attempts, and the generation moves on, so that a copy of it does nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from messaging.access import record_action
from messaging.lifecycle import Change, advance_many
from messaging.models import Message
from messaging.states import Status

DRAINED_AT_ONCE = 100
MARKED_FAILED = "marked failed by an operator: the outcome is unknown"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An exhausted message, for the dead-letter queue."""

    message_id: UUID
    generation: int


def exhausted() -> list[DeadLetter]:
    """What has to go to the dead-letter queue, the oldest first."""
    rows = Message.objects.filter(exhausted_at__isnull=False, dead_lettered_at=None).order_by("exhausted_at")
    return [DeadLetter(*row) for row in rows.values_list("id", "generation")[:DRAINED_AT_ONCE]]


def dead_lettered(letters: Sequence[DeadLetter]) -> None:
    """They are on the queue. Two dispatchers may each have put one there: the second copy revives nothing."""
    Message.objects.filter(
        pk__in=[letter.message_id for letter in letters], exhausted_at__isnull=False, status=Status.FAILED
    ).update(dead_lettered_at=timezone.now())


def revive(message_id: UUID, generation: int) -> bool:
    """Send an exhausted message again, once per generation; False where that was done before or it has moved on."""
    with transaction.atomic():
        row = Message.objects.select_for_update().filter(pk=message_id).first()
        if row is None or row.generation != generation or row.status != Status.FAILED:
            return False
        again([row], "redrive")
    return True


def send_again(message_ids: Sequence[UUID], by: str) -> list[UUID]:
    """An operator's decision about messages that are `unknown` or `failed`: once more, with fresh attempts.

    For an unknown one this may reach the recipient twice. Returns the ids that this was possible for.
    """
    with transaction.atomic():
        rows = _locked(message_ids, [Status.UNKNOWN, Status.FAILED])
        again(rows, "operator")
        for row in rows:
            record_action(by, "send again", f"message {row.pk}", before=row.status)
    return [row.pk for row in rows]


def mark_failed(message_ids: Sequence[UUID], by: str) -> list[UUID]:
    """An operator's decision about `unknown` messages: they were not sent. Returns the ids it was possible for.

    A status that comes later all the same wins over it.
    """
    with transaction.atomic():
        rows = _locked(message_ids, [Status.UNKNOWN])
        now = timezone.now()
        advance_many(
            [
                Change(row.pk, Status.FAILED, now, "operator", error_title=MARKED_FAILED, expected=Status.UNKNOWN)
                for row in rows
            ]
        )
        for row in rows:
            record_action(by, "mark failed", f"message {row.pk}", before=row.status)
    return [row.pk for row in rows]


def _locked(message_ids: Sequence[UUID], states: Sequence[Status]) -> list[Message]:
    return list(Message.objects.select_for_update().filter(pk__in=message_ids, status__in=states).order_by("pk"))


def again(rows: Sequence[Message], source: str) -> None:
    """Pending again, in this transaction, as if it had never been tried; a copy on the dead-letter queue is void.

    The caller holds the rows' locks and has checked their states.
    """
    now = timezone.now()
    advance_many([Change(row.pk, Status.PENDING, now, source, due_at=now) for row in rows])
    Message.objects.filter(pk__in=[row.pk for row in rows]).update(
        attempts=0, releases=0, generation=F("generation") + 1, capped_at=None
    )
