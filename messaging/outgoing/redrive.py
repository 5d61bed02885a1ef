"""Redrive of failed messages: by the dead-letter queue, and by an operator.

An exhausted message is `failed` because its attempts are used up. Its row is an outbox entry: the dispatcher publishes
`messaging.revive` with the id and generation to the outgoing dead-letter queue, where one view and one alarm serve all
lanes. A redrive makes the row `pending` with no attempts and increments the generation, so that duplicate tasks do
nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from messaging.access import record_action
from messaging.lifecycle import Change, advance_many
from messaging.models import Message
from messaging.states import Status

PUBLISHED_AT_ONCE = 100
MARKED_FAILED = "marked failed by an operator: the outcome is unknown"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An exhausted message for the dead-letter queue."""

    message_id: UUID
    generation: int


def exhausted_messages() -> list[DeadLetter]:
    """Exhausted messages that are not on the dead-letter queue yet, oldest first; at most 100."""
    rows = Message.objects.filter(exhausted_at__isnull=False, dead_lettered_at=None).order_by("exhausted_at")
    return [DeadLetter(*row) for row in rows.values_list("id", "generation")[:PUBLISHED_AT_ONCE]]


def mark_dead_lettered(letters: Sequence[DeadLetter]) -> None:
    """Note that these are published. Two dispatchers may both publish one: the second copy does nothing.

    A message that was redriven and is exhausted again meanwhile is not noted: its new generation needs its own task.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE messaging_message m SET dead_lettered_at = statement_timestamp()
            FROM unnest(%s::uuid[], %s::int[]) AS g(id, generation)
            WHERE m.id = g.id AND m.generation = g.generation AND m.exhausted_at IS NOT NULL AND m.status = 'failed'
            """,
            [[letter.message_id for letter in letters], [letter.generation for letter in letters]],
        )


def redrive(message_id: UUID, generation: int) -> bool:
    """Make an exhausted message pending, once per generation; False if that was done, or its status has changed, or it
    cannot be sent again.
    """
    with transaction.atomic():
        row = Message.objects.select_for_update().filter(pk=message_id).first()
        if row is None or row.generation != generation or row.status != Status.FAILED:
            return False
        if not row.can_be_sent_again:
            return False
        reset_to_pending([row], "redrive")
    return True


def send_again(message_ids: Sequence[UUID], by: str) -> list[UUID]:
    """Send `unknown` or `failed` messages again with no attempts counted, by an operator's decision.

    The recipient of an unknown one may get it twice. Returns the ids for which this was possible: not of those whose
    text was deleted or that another app has sent.
    """
    with transaction.atomic():
        locked = _locked(message_ids, [Status.UNKNOWN, Status.FAILED])
        rows = [row for row in locked if row.can_be_sent_again]
        reset_to_pending(rows, "operator")
        for row in rows:
            record_action(by, "send again", f"message {row.pk}", before=row.status)
    return [row.pk for row in rows]


def mark_failed(message_ids: Sequence[UUID], by: str) -> list[UUID]:
    """Mark `unknown` messages as not sent, by an operator's decision; a later status overrides this.

    Returns the ids for which this was possible.
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


def reset_to_pending(rows: Sequence[Message], source: str) -> None:
    """Make messages pending as if never tried; the new generation voids their tasks on the dead-letter queue.

    Inside a transaction whose caller has locked the rows and checked their statuses.
    """
    now = timezone.now()
    advance_many([Change(row.pk, Status.PENDING, now, source, due_at=now) for row in rows])
    Message.objects.filter(pk__in=[row.pk for row in rows]).update(
        attempts=0, releases=0, generation=F("generation") + 1, capped_at=None
    )
