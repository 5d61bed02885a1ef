"""Due selection: which due messages of a number are released now, and which have to wait.

A message that has to wait leaves the index of due messages, so that only one tick reads it: it is marked with its hold,
or parked (`pair`) until its recipient may get the next message. The parked messages of a recipient are a queue of their
own, of which a tick reads only the first.

Clients share a number fairly: among the messages of one priority each client gets one in turn, whatever waits behind.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from messaging.models.messages import PAIR
from messaging.outgoing.holds.messaging_limit import limit_mark
from messaging.outgoing.rate_limits import PAIR_BURST_S
from messaging.portfolios import Budget, Count


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A due message, locked, with the facts that decide about its release."""

    priority: int
    due_at: datetime
    message_id: UUID
    peer: str
    template: str
    client_id: int | None
    expired: bool
    # The mark of the hold that covers it.
    hold: str | None
    # Another message to this recipient is in flight.
    busy: bool
    # See PairPace.
    tat: datetime | None
    not_before: datetime | None
    wake_at: datetime | None
    burst_at: datetime | None
    credit: float | None
    # No customer service window is open, or it ends just now; and whether the recipient counts already against the
    # portfolio's messaging limit (only if there is one).
    outside_window: bool = False
    is_opened: bool = False

    @property
    def order(self) -> tuple[int, datetime, UUID]:
        """The sort key within one client."""
        return self.priority, self.due_at, self.message_id

    def ready_at(self, now: datetime) -> datetime:
        """When the pair limit allows a message to its recipient, apart from one in flight."""
        times = (now, self.not_before, None if self._has_credit(now) else self.tat)
        return max(time for time in times if time is not None)

    def _has_credit(self, now: datetime) -> bool:
        """Whether the message may be part of a burst that has begun."""
        in_burst = self.burst_at is not None and now < self.burst_at + timedelta(seconds=PAIR_BURST_S)
        return in_burst and (self.credit or 0.0) >= 1


@dataclass(slots=True)
class Selection:
    """The decision on a set of messages."""

    released: list[DueMessage] = field(default_factory=list)
    expired: list[UUID] = field(default_factory=list)
    # Messages that the recipient check refuses, with the reason.
    refused: dict[UUID, str] = field(default_factory=dict)
    # Messages that have to wait, with the mark that says why.
    marks: dict[UUID, str] = field(default_factory=dict)
    # Recipients with parked messages, and when the next one may be released.
    wake: dict[str, datetime] = field(default_factory=dict)


def select(
    due: Iterable[DueMessage],
    first_parked: Iterable[DueMessage],
    limit: int,
    taken: set[str],
    now: datetime,
    *,
    refused: Mapping[UUID, str],
    budget: "LimitBudget | None" = None,
) -> Selection:
    """Select up to `limit` messages in their order; adds their recipients to `taken`, one message each.

    `refused`: the reasons of the messages that the recipient check refuses. A due message to a recipient with parked
    ones goes before the first of those or joins them. `budget`: of new recipients; what exceeds it is held.
    """
    first_parked = list(first_parked)
    ready_peers = {message.peer for message in first_parked}
    result = Selection()
    for message in round_robin([*due, *first_parked], now):
        if message.expired:
            result.expired.append(message.message_id)
        elif message.message_id in refused:
            result.refused[message.message_id] = refused[message.message_id]
        elif message.hold:
            result.marks[message.message_id] = message.hold
        elif (
            message.peer in taken
            or message.busy
            or message.ready_at(now) > now
            or (message.wake_at is not None and message.peer not in ready_peers)
        ):
            result.marks[message.message_id] = PAIR
            result.wake[message.peer] = message.ready_at(now)
        elif budget is not None and budget.holds(message):
            result.marks[message.message_id] = budget.mark(message)
        elif len(result.released) < limit:
            if budget is not None:
                budget.take(message)
            taken.add(message.peer)
            result.released.append(message)
    return result


@dataclass(frozen=True, slots=True)
class LimitBudget:
    """The budget of new recipients that the number shares with its portfolio."""

    number_id: int
    budget: Budget

    def holds(self, message: DueMessage) -> bool:
        """Whether the message has to wait for the limit."""
        return message.outside_window and not message.is_opened and not self.budget.remaining(message.priority)

    def mark(self, message: DueMessage) -> str:
        """The mark of its hold."""
        return limit_mark(self.number_id, message.priority)

    def take(self, message: DueMessage) -> None:
        """Count the recipient of a message that is released."""
        if message.outside_window and not message.is_opened:
            self.budget.take()


def round_robin(messages: Sequence[DueMessage], now: datetime) -> list[DueMessage]:
    """By priority, then one message of each client in turn. Who is first in a turn changes with `now`."""
    seen: Counter[tuple[int, int | None]] = Counter()
    keys: dict[UUID, tuple[int, int, int]] = {}
    for message in sorted(messages, key=lambda message: message.order):
        client = message.priority, message.client_id
        keys[message.message_id] = message.priority, seen[client], zlib.crc32(f"{message.client_id} {now}".encode())
        seen[client] += 1
    return sorted(messages, key=lambda message: (keys[message.message_id], message.order))


# A hold covers the messages that match all that it names; messaging/accepting/waiting_warnings.py says so of drafts.
# There are few holds, so the subquery costs next to nothing.
_COLUMNS = """
  d.priority, d.due_at, d.id, d.peer, d.template, d.client_id, COALESCE(d.expires_at <= statement_timestamp(), false),
  (SELECT h.kind || ':' || h.id FROM messaging_hold h
   WHERE h.resumed_at IS NULL AND (h.until IS NULL OR h.until > statement_timestamp())
     AND ((h.kind = 'campaign' AND h.key = d.campaign)
       OR (h.kind = 'budget' AND h.key IN ('', d.campaign))
       OR (h.kind = 'template' AND d.template <> '' AND h.key IN ('', d.template)))
     AND (h.client_id IS NULL OR h.client_id = d.client_id)
     AND (h.number_id IS NULL OR h.number_id = d.number_id)
     AND (h.waba_id = '' OR h.waba_id = (SELECT n.waba_id FROM messaging_businessnumber n WHERE n.id = d.number_id))
     AND (h.language = '' OR (d.template <> '' AND h.language = (
       SELECT COALESCE(x.content->'language'->>'code', x.content->>'language')
       FROM messaging_message x WHERE x.id = d.id)))
   ORDER BY h.id LIMIT 1)
"""

# A call starts up to seconds after its release, so a window that ends within a minute counts as closed. Recipients who
# count are looked up for limited portfolios alone: without a portfolio the join finds nothing, and reads nothing.
_LIMIT_COLUMNS = """
  NOT EXISTS (SELECT 1 FROM messaging_message i WHERE i.peer = d.peer AND i.number_id = d.number_id
    AND i.at > statement_timestamp() - interval '24 hours' + interval '1 minute'
    AND i.direction = 'inbound' AND i.type <> 'system'),
  EXISTS (SELECT 1 FROM messaging_openedrecipient o WHERE o.portfolio_id = %(portfolio)s AND o.peer = d.peer
    AND o.opened_at >= %(counted_from)s)
"""

_IS_WAITING = "number_id = %(number_id)s AND due_at IS NOT NULL AND released_at IS NULL AND hold IS NULL"

# `clients` skips through the index message_due_by_client, so that a bulk of one client is not read for another.
_DUE = f"""
WITH RECURSIVE clients AS (
  (SELECT priority, COALESCE(client_id, 0) AS client FROM messaging_message WHERE {_IS_WAITING}
   ORDER BY priority, COALESCE(client_id, 0) LIMIT 1)
  UNION ALL
  SELECT following.* FROM clients c CROSS JOIN LATERAL (
    SELECT priority, COALESCE(client_id, 0) FROM messaging_message
    WHERE {_IS_WAITING} AND (priority, COALESCE(client_id, 0)) > (c.priority, c.client)
    ORDER BY priority, COALESCE(client_id, 0) LIMIT 1) following
), turns AS MATERIALIZED (
  SELECT first.id FROM clients c CROSS JOIN LATERAL (
    SELECT id, row_number() OVER (ORDER BY due_at, id) AS turn FROM messaging_message
    WHERE {_IS_WAITING} AND priority = c.priority AND COALESCE(client_id, 0) = c.client
      AND due_at <= statement_timestamp()
    ORDER BY due_at, id LIMIT %(limit)s) first
  ORDER BY c.priority, first.turn, md5(c.client::text || statement_timestamp()::text) LIMIT %(limit)s
), due AS MATERIALIZED (
  SELECT id, number_id, peer, priority, due_at, expires_at, campaign, template, client_id
  FROM messaging_message
  WHERE id = ANY(ARRAY(SELECT id FROM turns)) AND {_IS_WAITING} FOR UPDATE SKIP LOCKED
)
SELECT {_COLUMNS},
  EXISTS (SELECT 1 FROM messaging_message f WHERE f.number_id = d.number_id AND f.peer = d.peer
    AND f.released_at IS NOT NULL AND f.outcome_at IS NULL),
  p.tat, p.not_before, p.wake_at, p.burst_at, p.credit, {_LIMIT_COLUMNS}
FROM due d LEFT JOIN messaging_pairpace p ON p.number_id = d.number_id AND p.peer = d.peer
"""  # noqa: S608 - constants of this module

# A recipient without parked messages (cancelled, expired) yields a row without an id.
_FIRST_PARKED = f"""
WITH ready AS MATERIALIZED (
  SELECT p.number_id, p.peer, p.tat, p.not_before, p.wake_at, p.burst_at, p.credit FROM messaging_pairpace p
  WHERE p.number_id = %(number_id)s AND p.wake_at <= statement_timestamp()
    AND NOT EXISTS (SELECT 1 FROM messaging_message f WHERE f.number_id = p.number_id AND f.peer = p.peer
      AND f.released_at IS NOT NULL AND f.outcome_at IS NULL)
  ORDER BY p.wake_at LIMIT %(limit)s
)
SELECT {_COLUMNS}, false, p.tat, p.not_before, p.wake_at, p.burst_at, p.credit, {_LIMIT_COLUMNS}
FROM ready p LEFT JOIN LATERAL (
  SELECT id, number_id, p.peer AS peer, priority, due_at, expires_at, campaign, template, client_id
  FROM messaging_message m WHERE m.number_id = p.number_id AND m.peer = p.peer AND m.hold = 'pair'
  ORDER BY m.priority, m.due_at, m.id LIMIT 1 FOR UPDATE
) d ON true
"""  # noqa: S608 - constants of this module


def due_now(cursor: Any, number_id: int, limit: int, count: Count | None = None) -> list[DueMessage]:
    """The first due messages of a number, locked, one of each client in turn. `count`: of its limited portfolio."""
    cursor.execute(_DUE, _parameters(number_id, limit, count))
    return [DueMessage(*row) for row in cursor.fetchall()]


def _parameters(number_id: int, limit: int, count: Count | None) -> dict[str, Any]:
    return {
        "number_id": number_id,
        "limit": limit,
        "portfolio": count and count.portfolio_id,
        "counted_from": count and count.counted_from,
    }


def first_parked_messages(cursor: Any, number_id: int, limit: int, count: Count | None = None) -> list[DueMessage]:
    """The first parked message of each recipient who may get one, locked; clears recipients without any."""
    cursor.execute(_FIRST_PARKED, _parameters(number_id, limit, count))
    rows = cursor.fetchall()
    if any(row[2] is None for row in rows):
        cursor.execute(
            """
            UPDATE messaging_pairpace p SET wake_at = NULL
            WHERE p.number_id = %s AND p.wake_at <= statement_timestamp() AND NOT EXISTS (
              SELECT 1 FROM messaging_message m WHERE m.number_id = p.number_id AND m.peer = p.peer
                AND (m.hold = 'pair' OR (m.released_at IS NOT NULL AND m.outcome_at IS NULL)))
            """,
            [number_id],
        )
    return [DueMessage(*row) for row in rows if row[2] is not None]


def mark_waiting(cursor: Any, number_id: int, result: Selection) -> None:
    """Mark messages that have to wait, and store when their recipients may get the next one."""
    if result.marks:
        cursor.execute(
            """
            UPDATE messaging_message m SET hold = g.hold FROM unnest(%s::uuid[], %s::text[]) AS g(id, hold)
            WHERE m.id = g.id
            """,
            [list(result.marks), list(result.marks.values())],
        )
    if result.wake:
        peers = sorted(result.wake)
        cursor.execute(
            """
            INSERT INTO messaging_pairpace (number_id, peer, wake_at)
            SELECT %s, g.peer, g.wake_at FROM unnest(%s::text[], %s::timestamptz[]) AS g(peer, wake_at)
            ON CONFLICT (number_id, peer) DO UPDATE SET wake_at = excluded.wake_at
            """,
            [number_id, peers, [result.wake[peer] for peer in peers]],
        )
