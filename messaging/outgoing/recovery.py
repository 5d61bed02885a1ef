"""Recovery: rows whose task was lost, whose `expires_at` has passed, or whose lease has expired."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from messaging.lifecycle import Change, advance_many
from messaging.models import Message
from messaging.outgoing import rate_limits
from messaging.outgoing.release import Release
from messaging.states import Status

# A released row that no worker claimed is released again after 15 s, then 30, 60, … up to 5 minutes, five times.
UNCLAIMED_AFTER_S = 15
UNCLAIMED_AFTER_MAX_S = 300
MAX_RELEASES = 5
# A sent message has seven events, so while workers run these contain many claims.
LATEST_EVENTS = 2000
MOST_IN_FLIGHT = 100_000
SWEEP_ROWS = 500
EXPIRED_AT_ONCE = 2000
# Longer than the memory of consecutive throttles (messaging/outgoing/rate_limits.py).
PAIR_RETENTION = "2 minutes"
LEASE_EXPIRED = "lease_expired"


def undo_release(batch: Release) -> None:
    """Make the rows of an unpublished release `pending`; the release does not count."""
    with transaction.atomic():
        rows = Message.objects.select_for_update().filter(
            id__in=batch.message_ids, release_id=batch.release_id, status=Status.QUEUED
        )
        ids = list(rows.order_by("id").values_list("id", flat=True))
        Message.objects.filter(id__in=ids).update(releases=F("releases") - 1)
        advance_many([_pending(message_id) for message_id in ids])


def queued_releases(older_than_s: float, at_most: int) -> list[Release]:
    """Rows that have been `queued` for some time, by release: for direct delivery during an SQS outage."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT release_id, array_agg(id ORDER BY id) FROM (
              SELECT release_id, id FROM messaging_message
              WHERE id = ANY(%s::uuid[]) AND released_at IS NOT NULL AND outcome_at IS NULL AND status = 'queued'
                AND released_at < statement_timestamp() - make_interval(secs => %s)
              ORDER BY released_at, id LIMIT %s) oldest
            GROUP BY release_id
            """,
            [_in_flight(cursor), older_than_s, at_most],
        )
        return [Release(release_id, list(ids)) for release_id, ids in cursor.fetchall()]


def sweep_unclaimed() -> None:
    """Make `queued` rows pending that no worker has claimed; fail those that were released too often.

    No message fails while its number is paused or while no worker runs: then no row is claimed.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT m.id, m.releases >= %s AND n.paused_at IS NULL, m.released_at
                FROM messaging_message m JOIN messaging_businessnumber n ON n.id = m.number_id
                WHERE m.id = ANY(%s::uuid[])
                  AND m.released_at IS NOT NULL AND m.outcome_at IS NULL AND m.status = 'queued'
                  AND m.released_at < statement_timestamp() - make_interval(
                    secs => least(%s * 2 ^ (least(greatest(m.releases, 1), 16) - 1), %s)::double precision)
                ORDER BY m.id LIMIT %s FOR UPDATE OF m SKIP LOCKED
                """,
                [MAX_RELEASES, _in_flight(cursor), UNCLAIMED_AFTER_S, UNCLAIMED_AFTER_MAX_S, SWEEP_ROWS],
            )
            rows = cursor.fetchall()
            claimed_at = _last_claim(cursor) if any(too_often for _, too_often, _ in rows) else None
        now = timezone.now()
        advance_many(
            [
                Change(message_id, Status.FAILED, now, "dispatcher", error_title="release_limit", exhausted=True)
                if too_often and claimed_at is not None and claimed_at > released_at
                else _pending(message_id)
                for message_id, too_often, released_at in rows
            ]
        )


def _last_claim(cursor: Any) -> datetime | None:
    """The time of the latest claim by any worker; None if the latest events contain none."""
    cursor.execute(
        """
        SELECT max(at) FROM (SELECT status, at FROM messaging_messageevent ORDER BY id DESC LIMIT %s) latest
        WHERE status = 'sending'
        """,
        [LATEST_EVENTS],
    )
    at: datetime | None = cursor.fetchone()[0]
    return at


def sweep_expired_leases() -> None:
    """Make rows `unknown` whose lease has expired: their worker may have sent them.

    The attempt ended with the lease, at the latest.
    """
    with transaction.atomic():
        now = timezone.now()
        with connection.cursor() as cursor:
            in_flight = _in_flight(cursor)
        rows = (
            Message.objects.select_for_update(skip_locked=True)
            .filter(
                pk__in=in_flight, released_at__isnull=False, outcome_at=None, status=Status.SENDING, lease_until__lt=now
            )
            .order_by("id")
            .values_list("id", "lease_until", "calls")[:SWEEP_ROWS]
        )
        advance_many(
            [
                Change(
                    message_id,
                    Status.UNKNOWN,
                    lease_until or now,
                    "dispatcher",
                    error_title=LEASE_EXPIRED,
                    call=calls,
                    outcome="LeaseExpired",
                )
                for message_id, lease_until, calls in rows
            ]
        )


def sweep_expired() -> None:
    """Expire messages that no worker claimed before their `expires_at`, held ones too."""
    with transaction.atomic():
        now = timezone.now()
        rows = Message.objects.select_for_update(skip_locked=True).filter(
            expires_at__lte=now, outcome_at=None, status__in=[Status.PENDING, Status.QUEUED]
        )
        # The order of the index keeps the planner from reading the table.
        ids = sorted(rows.order_by("expires_at").values_list("id", flat=True)[:EXPIRED_AT_ONCE])
        advance_many([Change(message_id, Status.EXPIRED, now, "dispatcher") for message_id in ids])


def sweep_pairs() -> None:
    """Delete pair paces that limit nothing any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM messaging_pairpace WHERE id = ANY(ARRAY(
              SELECT id FROM messaging_pairpace
              WHERE tat < statement_timestamp() - (%s - credit) * %s * interval '1 second' AND wake_at IS NULL
                AND (not_before IS NULL OR not_before < statement_timestamp() - %s::interval)
              ORDER BY number_id, peer FOR UPDATE SKIP LOCKED))
            """,
            [rate_limits.PAIR_CREDIT, rate_limits.PAIR_EVERY_S, PAIR_RETENTION],
        )


def _in_flight(cursor: Any) -> list[UUID]:
    """Released messages without an outcome: as many as the numbers send in some seconds.

    They are read first and alone, in the order of their index: the planner expects a fifth of all history to be in
    flight, and would read the table to find those of a status.
    """
    cursor.execute(
        """
        SELECT id FROM messaging_message WHERE released_at IS NOT NULL AND outcome_at IS NULL
        ORDER BY number_id, peer LIMIT %s
        """,
        [MOST_IN_FLIGHT],
    )
    return [message_id for (message_id,) in cursor.fetchall()]


def _pending(message_id: UUID) -> Change:
    return Change(message_id, Status.PENDING, timezone.now(), "dispatcher", expected=Status.QUEUED)
