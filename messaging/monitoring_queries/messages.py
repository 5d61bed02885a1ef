"""Outbound messages: how many have no outcome, how long due ones wait, and the state of single ones."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from messaging.models import PRIORITY_NAMES, Message
from messaging.models.messages import QUALITY

# Rows of one state are counted up to this limit: a larger number changes no decision, and counting takes time.
COUNT_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class UnknownOutcomes:
    """Messages with an unknown outcome, resolving or held for a decision; duplicates of the last 24 hours."""

    resolving: int
    held: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class QualityAssessments:
    """Messages that Meta holds, up to COUNT_LIMIT; in seconds, the longest time since an acceptance of the last day.

    A message without a status after a day gets none any more: it should not keep an alert open forever.
    """

    held: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class DueMessages:
    """In seconds: the age of the oldest releasable message by priority, and the longest time without a release."""

    oldest_s: dict[str, float]
    lag_s: float


@dataclass(frozen=True, slots=True)
class OutboundState:
    """The current state of one outbound message."""

    id: UUID
    status: str
    error_code: int | None
    error_title: str
    generation: int


def messages_without_outcome() -> dict[str, int]:
    """The number of messages by state: due, scheduled, queued, sending, held. Each up to COUNT_LIMIT.

    Rows are taken in the order of their partial index, which keeps the planner from reading the table.
    """
    counts = dict.fromkeys(("due", "scheduled", "queued", "sending", "held"), 0)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT CASE WHEN due_at <= statement_timestamp() THEN 'due' ELSE 'scheduled' END, count(*) FROM (
              SELECT due_at FROM messaging_message
              WHERE due_at IS NOT NULL AND released_at IS NULL AND hold IS NULL
              ORDER BY number_id, priority, COALESCE(client_id, 0), due_at, id LIMIT %(limit)s) waiting GROUP BY 1
            UNION ALL
            SELECT status, count(*) FROM (
              SELECT status FROM messaging_message WHERE released_at IS NOT NULL AND outcome_at IS NULL
              ORDER BY number_id, peer LIMIT %(limit)s) released WHERE status IN ('queued', 'sending') GROUP BY 1
            UNION ALL
            SELECT 'held', LEAST(count(*), %(limit)s) FROM (
              (SELECT FROM messaging_message WHERE hold < %(quality)s ORDER BY hold, id LIMIT %(limit)s)
              UNION ALL
              (SELECT FROM messaging_message WHERE hold > %(quality)s ORDER BY hold, id LIMIT %(limit)s)) held
            """,
            {"limit": COUNT_LIMIT, "quality": QUALITY},
        )
        counts.update(cursor.fetchall())
    return counts


def quality_assessments() -> QualityAssessments:
    """Accepted messages that Meta holds for its quality assessment. The range makes the planner use their index."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), COALESCE(extract(epoch FROM statement_timestamp() - min(outcome_at)
              FILTER (WHERE outcome_at > statement_timestamp() - interval '24 hours')), 0)::float8
            FROM (
              SELECT outcome_at FROM messaging_message WHERE hold BETWEEN %(quality)s AND %(quality)s
              ORDER BY hold DESC, id DESC LIMIT %(limit)s) held
            """,
            {"quality": QUALITY, "limit": COUNT_LIMIT},
        )
        return QualityAssessments(*cursor.fetchone())


def unknown_outcomes() -> UnknownOutcomes:
    """Messages with an unknown outcome, and those that Meta accepted twice. The ranges make the planner use their
    indexes."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE hold IS NULL), count(*) FILTER (WHERE hold IS NOT NULL),
              (SELECT count(*) FROM messaging_message
               WHERE doubled_at BETWEEN statement_timestamp() - interval '24 hours' AND 'infinity')
            FROM messaging_message WHERE unknown_at BETWEEN '-infinity' AND 'infinity'
            """
        )
        return UnknownOutcomes(*cursor.fetchone())


def due_messages() -> DueMessages:
    """Due messages of numbers that may send now: not paused, probing or throttled."""
    oldest, lag = dict.fromkeys(PRIORITY_NAMES.values(), 0.0), 0.0
    # `firsts`: the first message of each number, priority and client, one step through the index each.
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE ready AS (
              SELECT id, tokens_at, throttled_until FROM messaging_businessnumber WHERE paused_at IS NULL
                AND probe_at IS NULL AND (throttled_until IS NULL OR throttled_until <= statement_timestamp())
            ), firsts AS (
              SELECT n.id AS number_id, f.* FROM ready n CROSS JOIN LATERAL (
                SELECT priority, COALESCE(client_id, 0) AS client, due_at FROM messaging_message
                WHERE number_id = n.id AND due_at IS NOT NULL AND released_at IS NULL AND hold IS NULL
                ORDER BY priority, COALESCE(client_id, 0), due_at, id LIMIT 1) f
              UNION ALL
              SELECT f.number_id, following.* FROM firsts f CROSS JOIN LATERAL (
                SELECT priority, COALESCE(client_id, 0), due_at FROM messaging_message
                WHERE number_id = f.number_id AND due_at IS NOT NULL AND released_at IS NULL AND hold IS NULL
                  AND (priority, COALESCE(client_id, 0)) > (f.priority, f.client)
                ORDER BY priority, COALESCE(client_id, 0), due_at, id LIMIT 1) following
            )
            SELECT f.priority, extract(epoch FROM statement_timestamp() - f.due_at)::float8,
              extract(epoch FROM statement_timestamp() - greatest(f.due_at, n.tokens_at, n.throttled_until))::float8
            FROM firsts f JOIN ready n ON n.id = f.number_id WHERE f.due_at <= statement_timestamp()
            """
        )
        for priority, age_s, lag_s in cursor.fetchall():
            name = PRIORITY_NAMES[priority]
            oldest[name] = max(oldest[name], age_s)
            lag = max(lag, lag_s)
    return DueMessages(oldest, lag)


def outbound_states(ids: Collection[UUID]) -> list[OutboundState]:
    """The state of these messages; unknown ids are left out."""
    rows = Message.objects.filter(pk__in=ids).values_list("id", "status", "error_code", "error_title", "generation")
    return [OutboundState(*row) for row in rows]
