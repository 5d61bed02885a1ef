"""Release: the dispatcher's step from `pending` to `queued`, most urgent first, at the pace of each number."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction

from messaging.contacts import MessageTarget, refusals, suppressions_of
from messaging.lifecycle import Change, advance_many
from messaging.models import Priority
from messaging.models.messages import MAX_COUNT
from messaging.outgoing import rate_limits
from messaging.outgoing.due_selection import (
    DueMessage,
    LimitBudget,
    Selection,
    due_now,
    first_parked_messages,
    mark_waiting,
    select,
)
from messaging.portfolios import Budget, Count, Opening, Usage, assign_portfolio, count_expression, lock_count, usage_of
from messaging.states import Status
from messaging.whatsapp.inbound import Origin

ROWS_PER_TASK = 50
# A tick that meets messages that have to wait reads on, this many rows at a time; the next tick reads the rest.
SCAN_ROWS = 500
MAX_SCANS = 4
# Inbound messages that were stored within these seconds, of those that Meta dates within the latter: one that waited
# longer was sent long before it was stored, and does not count against Meta's throughput now.
INBOUND_WINDOW_S = 5.0
INBOUND_AGE_S = 10.0


@dataclass(frozen=True, slots=True)
class Release:
    """Rows of one number in one task; a duplicate of the task finds nothing to claim."""

    release_id: UUID
    message_ids: list[UUID]


@dataclass(frozen=True, slots=True)
class _Number:
    """A business number, locked for this tick."""

    pk: int
    portfolio: str
    waba_id: str
    limited_by: int
    usage: Usage
    bucket: rate_limits.Bucket
    failures: int
    probe_step: int
    now: datetime
    queued: int
    has_ready_pairs: bool


def numbers_with_due_messages() -> list[int]:
    """Ids of the numbers that have due messages and may send."""
    # The first row in the order of the index, not EXISTS: the planner takes the conditions to be independent, expects
    # a fifth of all history to wait, and would read the table to find a first row.
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT n.id FROM messaging_businessnumber n
            WHERE n.paused_at IS NULL
              AND (n.throttled_until IS NULL OR n.throttled_until <= statement_timestamp())
              AND (n.probe_at IS NULL OR n.probe_at <= statement_timestamp())
              AND ((
                SELECT m.id FROM messaging_message m
                WHERE m.number_id = n.id AND m.due_at IS NOT NULL AND m.released_at IS NULL AND m.hold IS NULL
                  AND m.due_at <= statement_timestamp()
                ORDER BY m.priority, COALESCE(m.client_id, 0), m.due_at, m.id LIMIT 1) IS NOT NULL
              OR EXISTS (
                SELECT 1 FROM messaging_pairpace p WHERE p.number_id = n.id AND p.wake_at <= statement_timestamp()))
            """
        )
        return [number_id for (number_id,) in cursor.fetchall()]


def inbound_rates() -> dict[int, float]:
    """Users' messages a second to each number in the last seconds; Meta counts them against its throughput.

    Neither the history of a phone app nor a backlog that is stored now counts.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT number_id, count(*) FROM messaging_message
            WHERE direction = 'inbound' AND created_at > statement_timestamp() - make_interval(secs => %s)
              AND at > statement_timestamp() - make_interval(secs => %s) AND origin = %s
            GROUP BY number_id
            """,
            [INBOUND_WINDOW_S, INBOUND_AGE_S, Origin.USER.value],
        )
        return {number_id: count / INBOUND_WINDOW_S for number_id, count in cursor.fetchall()}


def release(number_id: int, inbound: float = 0.0, at_most: int | None = None) -> list[Release]:
    """Move due messages to `queued`, most urgent first, as far as the number's pace and queue allow.

    `inbound`: messages a second that users write to the number. `at_most`: free calls during direct delivery. Returns
    the tasks to publish after the commit; empty while another dispatcher works on the number.
    """
    try:
        return _release(number_id, inbound, at_most, is_near_limit=False)
    except _LimitExceededError:
        return _release(number_id, inbound, at_most, is_near_limit=True)


class _LimitExceededError(Exception):
    """More recipients would count than the limit allows: the release is rolled back and repeated near the limit."""


def _release(number_id: int, inbound: float, at_most: int | None, *, is_near_limit: bool) -> list[Release]:
    with transaction.atomic(), connection.cursor() as cursor:
        number = _lock(cursor, number_id)
        if number is None:
            return []
        pace = number.bucket.pace(number.now, inbound)
        if pace <= 0:
            return []
        schedule = rate_limits.Schedule(pace, number.bucket.filled(number.now, pace))
        allowed = min(schedule.most(), int(max(1.0, pace * rate_limits.QUEUE_S)) - number.queued)
        probing = number.failures >= rate_limits.PROBES_AFTER
        if probing:
            allowed = min(allowed, 1)
        if at_most is not None:
            allowed = min(allowed, at_most)
        if allowed <= 0:
            return []
        # Far from the limit no recipient is looked up and the portfolio is locked for its count alone, which decides.
        is_near_limit = is_near_limit or _remaining(number.usage) < allowed
        count = lock_count(cursor, number.limited_by) if is_near_limit else None
        rows = _select(cursor, number, allowed, count)
        if not rows:
            return []
        batches = _batches(rows)
        step = rate_limits.next_probe_step(number.probe_step) if probing else None
        # The recipients of released messages outside of their window, of an unlimited portfolio too.
        openings = [Opening(row.peer, row.message_id) for row in rows if row.outside_window]
        usage = _mark_queued(cursor, number, batches, schedule, step, openings=openings)
        # Far from its limit, the portfolio was not locked before the selection, so that its numbers need not wait for
        # each other: others may have counted meanwhile, and the limit may have fallen.
        if count is None and usage is not None and _remaining(usage) < 0:
            raise _LimitExceededError
    return batches


def _lock(cursor: Any, number_id: int) -> _Number | None:
    """The number's row, locked; None while it may not send or another dispatcher has locked it."""
    # The count of queued rows reads the partial unique index on messages in flight.
    cursor.execute(
        """
        SELECT n.portfolio, n.waba_id, n.limited_by_id, p.users_a_day, COALESCE(p.opened, 0),
          n.rate, n.tokens, n.tokens_at, n.pace_share, n.slowed_at,
          n.failures, n.probe_step, statement_timestamp(),
          (SELECT count(*) FROM messaging_message m WHERE m.number_id = n.id AND m.released_at IS NOT NULL
             AND m.outcome_at IS NULL AND m.status = 'queued'),
          EXISTS (SELECT 1 FROM messaging_pairpace p
            WHERE p.number_id = n.id AND p.wake_at <= statement_timestamp())
        FROM messaging_businessnumber n LEFT JOIN messaging_portfolio p ON p.id = n.limited_by_id
        WHERE n.id = %s AND n.paused_at IS NULL
          AND (n.throttled_until IS NULL OR n.throttled_until <= statement_timestamp())
          AND (n.probe_at IS NULL OR n.probe_at <= statement_timestamp())
        FOR NO KEY UPDATE OF n SKIP LOCKED
        """,
        [number_id],
    )
    row = cursor.fetchone()
    if row is None:
        return None
    portfolio, waba_id, limited_by, users_a_day, opened, *bucket = row[:10]
    if limited_by is None:
        limited_by = assign_portfolio(number_id)
    usage = Usage(users_a_day, opened)
    return _Number(number_id, portfolio, waba_id, limited_by, usage, rate_limits.Bucket(*bucket), *row[10:])


def _remaining(usage: Usage) -> float:
    """How many new recipients messages of every priority may open; below 0 where high priority has used its share."""
    if usage.users_a_day is None:
        return math.inf
    budget = Budget(usage.users_a_day, usage.opened, settings.WA_LIMIT_HIGH_SHARE)
    return budget.cap(Priority.NORMAL) - usage.opened


def _select(cursor: Any, number: _Number, allowed: int, count: Count | None) -> list[DueMessage]:
    """Up to `allowed` messages to release; marks those that have to wait, and ends those that must not be sent."""
    parked = first_parked_messages(cursor, number.pk, allowed, count) if number.has_ready_pairs else []
    budget = None
    if count is not None and count.users_a_day is not None:
        budget = LimitBudget(number.pk, Budget(count.users_a_day, count.opened, settings.WA_LIMIT_HIGH_SHARE))
    chosen: dict[UUID, DueMessage] = {}
    taken: set[str] = set()
    limit = allowed
    for _ in range(MAX_SCANS):
        due = due_now(cursor, number.pk, limit, count)
        fresh = [message for message in due if message.message_id not in chosen]
        refused = _recheck(number, [*fresh, *parked])
        result = select(fresh, parked, allowed - len(chosen), taken, number.now, refused=refused, budget=budget)
        chosen.update({message.message_id: message for message in result.released})
        mark_waiting(cursor, number.pk, result)
        _expire_and_cancel(result, number.now)
        if len(chosen) >= allowed or len(due) < limit:
            break
        parked, limit = [], SCAN_ROWS
    return list(chosen.values())


def _recheck(number: _Number, messages: list[DueMessage]) -> dict[UUID, str]:
    """Repeat the recipient check: messages whose contact is blocked or has opted out since acceptance, with the reason.

    Every way to the Cloud API passes a release (schedules, retries, resumed holds, redrives, direct delivery), so this
    is the only place that repeats it.
    """
    if not messages:
        return {}
    targets = {
        one.message_id: MessageTarget(one.peer, one.template, number.portfolio, number.waba_id) for one in messages
    }
    reasons = refusals(targets.values(), suppressions_of(message.peer for message in messages))
    return {message_id: reasons[target] for message_id, target in targets.items() if target in reasons}


def _expire_and_cancel(selection: Selection, now: datetime) -> None:
    """Expire messages whose `expires_at` has passed, and cancel those that the recipient check refuses."""
    advance_many(
        [
            *(Change(message_id, Status.EXPIRED, now, "dispatcher") for message_id in selection.expired),
            *(
                Change(message_id, Status.CANCELLED, now, "dispatcher", error_title=reason)
                for message_id, reason in selection.refused.items()
            ),
        ]
    )


def _batches(rows: list[DueMessage]) -> list[Release]:
    ids = [row.message_id for row in sorted(rows, key=lambda row: row.priority)]
    return [Release(uuid4(), ids[start : start + ROWS_PER_TASK]) for start in range(0, len(ids), ROWS_PER_TASK)]


# `counted` is an expression of `portfolios`.
_MARK_QUEUED = f"""
WITH released AS (
  UPDATE messaging_message m SET status = 'queued', release_id = g.release_id, hold = NULL, call_at = g.call_at,
    released_at = statement_timestamp(), updated_at = statement_timestamp(),
    releases = least(m.releases + 1, {MAX_COUNT})
  FROM unnest(%(ids)s::uuid[], %(releases)s::uuid[], %(calls)s::timestamptz[]) AS g(id, release_id, call_at)
  WHERE m.id = g.id
  RETURNING m.id, m.peer
), logged AS (
  INSERT INTO messaging_messageevent (message_id, status, at, source)
  SELECT id, 'queued', statement_timestamp(), 'dispatcher' FROM released
), paced AS (
  INSERT INTO messaging_pairpace AS p (number_id, peer, tat, burst_at)
  SELECT %(number_id)s, peer, statement_timestamp() + %(every)s, statement_timestamp()
  FROM released ORDER BY peer
  ON CONFLICT (number_id, peer) DO UPDATE SET
    tat = greatest(p.tat, statement_timestamp()) + %(every)s,
    burst_at = CASE WHEN p.tat > statement_timestamp() THEN p.burst_at ELSE statement_timestamp() END,
    credit = CASE WHEN p.tat > statement_timestamp() THEN p.credit - 1 ELSE least(%(credit)s,
      p.credit + extract(epoch FROM statement_timestamp() - p.tat) / extract(epoch FROM %(every)s)) END,
    wake_at = CASE WHEN p.wake_at IS NOT NULL THEN greatest(p.not_before, statement_timestamp()) END
)
UPDATE messaging_businessnumber SET tokens = %(tokens)s, tokens_at = %(now)s,
  probe_step = COALESCE(%(step)s, probe_step),
  probe_at = CASE WHEN %(step)s IS NULL THEN probe_at
    ELSE statement_timestamp() + make_interval(secs => %(step)s) END
WHERE id = %(number_id)s RETURNING {{counted}}
"""  # noqa: S608 - a constant of ours


def _mark_queued(
    cursor: Any,
    number: _Number,
    batches: list[Release],
    schedule: rate_limits.Schedule,
    probe_step: int | None,
    *,
    openings: list[Opening],
) -> Usage | None:
    """Record the release: the rows and the times of their calls, their trail, the pace of recipients and number, and
    who counts against the limit. Returns what counts then; None if there are no openings."""
    counted, counted_parameters = count_expression(number.limited_by, openings)
    ids = [message_id for batch in batches for message_id in batch.message_ids]
    cursor.execute(
        _MARK_QUEUED.format(counted=counted),
        {
            "ids": ids,
            "releases": [batch.release_id for batch in batches for _ in batch.message_ids],
            "calls": [number.now + timedelta(seconds=offset) for offset in schedule.offsets(len(ids))],
            "number_id": number.pk,
            "every": timedelta(seconds=rate_limits.PAIR_EVERY_S),
            "credit": rate_limits.PAIR_CREDIT,
            "tokens": schedule.left(len(ids)),
            "now": number.now,
            "step": probe_step,
            **counted_parameters,
        },
    )
    return usage_of(cursor.fetchone()[0])
