"""What a dispatcher does to rows: release what is due at its number's pace, take back what was lost on the way."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from messaging.models import BusinessNumber, Message
from messaging.services.transitions import Change, Logged, advance_many
from messaging.states import Status

# A little under what Meta allows: its clock and ours are not the same.
PACE_SHARE = 0.97
# The queue behind the dispatcher holds at most this many seconds of a number's pace, so that an urgent message
# overtakes a campaign within it; the bucket saves up no more than that either.
QUEUE_S = 0.5
ROWS_PER_TASK = 50

# A released row that nobody claimed is released again after 15 s, then 30, 60, … up to 5 minutes, five times.
LOST_AFTER_S = 15
LOST_AFTER_MAX_S = 300
MAX_RELEASES = 5
SWEEP_ROWS = 500


@dataclass(frozen=True, slots=True)
class Release:
    """Rows of one number that travel in one task; a copy of the task finds nothing to claim."""

    release_id: UUID
    message_ids: list[UUID]


def numbers_with_due_messages() -> list[int]:
    """Ids of the numbers that have something to send now and may."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT n.id FROM messaging_businessnumber n WHERE n.paused_at IS NULL AND EXISTS (
              SELECT 1 FROM messaging_message m
              WHERE m.number_id = n.id AND m.due_at IS NOT NULL AND m.released_at IS NULL
                AND m.due_at <= statement_timestamp())
            """
        )
        return [number_id for (number_id,) in cursor.fetchall()]


def release(number_id: int) -> list[Release]:
    """Move what is due to `queued`, most urgent first, as far as the number's pace and queue allow.

    Returns the tasks to publish after this function's commit; empty while another dispatcher works on the number.
    """
    with transaction.atomic():
        number = (
            BusinessNumber.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(pk=number_id, paused_at=None)
            .first()
        )
        if number is None:
            return []
        pace = number.rate * PACE_SHARE
        now = timezone.now()
        earned = (now - number.tokens_at).total_seconds() * pace
        tokens = min(pace * QUEUE_S, number.tokens + max(earned, 0.0))
        allowed = int(min(tokens, pace * QUEUE_S - _queued(number_id)))
        releases: list[Release] = []
        while allowed > 0:
            batch = _release_rows(number_id, min(allowed, ROWS_PER_TASK))
            if not batch.message_ids:
                break
            releases.append(batch)
            allowed -= len(batch.message_ids)
            tokens -= len(batch.message_ids)
        BusinessNumber.objects.filter(pk=number_id).update(tokens=tokens, tokens_at=now)
    return releases


def _queued(number_id: int) -> int:
    # The partial unique index on rows that are on their way is all that this reads.
    return Message.objects.filter(
        number_id=number_id, released_at__isnull=False, outcome_at=None, status=Status.QUEUED
    ).count()


def _release_rows(number_id: int, limit: int) -> Release:
    """Release up to `limit` rows: at most one a recipient, and none while another is on its way to the same one."""
    release_id = uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH released AS (
              UPDATE messaging_message SET status = 'queued', release_id = %(release_id)s,
                released_at = statement_timestamp(), releases = releases + 1, updated_at = statement_timestamp()
              WHERE id = ANY(ARRAY(
                SELECT m.id FROM messaging_message m
                WHERE m.number_id = %(number_id)s AND m.due_at IS NOT NULL AND m.released_at IS NULL
                  AND m.due_at <= statement_timestamp()
                  AND NOT EXISTS (
                    SELECT 1 FROM messaging_message f WHERE f.number_id = m.number_id AND f.peer = m.peer
                      AND f.released_at IS NOT NULL AND f.outcome_at IS NULL)
                  AND NOT EXISTS (
                    SELECT 1 FROM messaging_message e WHERE e.number_id = m.number_id AND e.peer = m.peer
                      AND e.due_at IS NOT NULL AND e.released_at IS NULL AND e.due_at <= statement_timestamp()
                      AND (e.priority, e.due_at, e.id) < (m.priority, m.due_at, m.id))
                ORDER BY m.priority, m.due_at, m.id LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
              RETURNING id, priority, due_at
            ), logged AS (
              INSERT INTO messaging_messageevent (message_id, status, at, source)
              SELECT id, 'queued', statement_timestamp(), 'dispatcher' FROM released
            )
            SELECT id FROM released ORDER BY priority, due_at, id
            """,
            {"release_id": release_id, "number_id": number_id, "limit": limit},
        )
        return Release(release_id, [message_id for (message_id,) in cursor.fetchall()])


def take_back(batch: Release, wait_s: float) -> list[Logged]:
    """Make rows `pending` again whose task could not be published; that release does not count."""
    now = timezone.now()
    with transaction.atomic():
        rows = Message.objects.select_for_update().filter(
            id__in=batch.message_ids, release_id=batch.release_id, status=Status.QUEUED
        )
        ids = sorted(rows.values_list("id", flat=True))
        Message.objects.filter(id__in=ids).update(releases=F("releases") - 1)
        return advance_many([_pending(message_id, now + timedelta(seconds=wait_s)) for message_id in ids])


def sweep_lost() -> list[Logged]:
    """Take back `queued` rows that no worker claimed; fail those that were released too often."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT id, releases FROM messaging_message
                WHERE released_at IS NOT NULL AND outcome_at IS NULL AND status = 'queued'
                  AND released_at < statement_timestamp() - make_interval(
                    secs => least(%s * 2 ^ (greatest(releases, 1) - 1), %s)::double precision)
                ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
                """,
                [LOST_AFTER_S, LOST_AFTER_MAX_S, SWEEP_ROWS],
            )
            rows = cursor.fetchall()
        now = timezone.now()
        return advance_many(
            [
                _pending(message_id, now)
                if releases < MAX_RELEASES
                else Change(message_id, Status.FAILED, now, "dispatcher", error_title="release_limit")
                for message_id, releases in rows
            ]
        )


def sweep_expired_leases() -> list[Logged]:
    """A worker that took a row and did not come back within its lease may have sent it: the outcome is unknown."""
    with transaction.atomic():
        rows = Message.objects.select_for_update(skip_locked=True).filter(
            released_at__isnull=False, outcome_at=None, status=Status.SENDING, lease_until__lt=timezone.now()
        )
        now = timezone.now()
        return advance_many(
            [
                Change(message_id, Status.UNKNOWN, now, "dispatcher", error_title="lease_expired")
                for message_id in rows.order_by("id").values_list("id", flat=True)[:SWEEP_ROWS]
            ]
        )


def _pending(message_id: UUID, due_at: datetime) -> Change:
    return Change(message_id, Status.PENDING, timezone.now(), "dispatcher", due_at=due_at, expected=Status.QUEUED)
