"""Due selection: which of a number's due messages go now, and what happens to those that do not.

A message that must wait leaves the index of what is due, so that a tick meets it once and not each
time: it is marked with its hold, or parked (`pair`) until its recipient's turn comes. A recipient's parked messages
are a queue of their own, of which only the head is looked at.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from messaging.models.messages import PAIR
from messaging.outgoing.rate_limits import PAIR_CREDIT


@dataclass(frozen=True, slots=True)
class Candidate:
    """A due message with all that decides whether it may go; locked."""

    priority: int
    due_at: datetime
    message_id: UUID
    peer: str
    template: str
    expired: bool
    # The mark of a hold that covers it.
    hold: str | None
    # Another message to this recipient is on its way.
    busy: bool
    # The recipient's pace: see PairPace.
    tat: datetime | None
    not_before: datetime | None
    wake_at: datetime | None

    @property
    def turn(self) -> tuple[int, datetime, UUID]:
        """The order in which messages go."""
        return self.priority, self.due_at, self.message_id

    def ready_at(self, now: datetime) -> datetime:
        """When its recipient may get a message, apart from one that is on its way."""
        times = (now, self.not_before, self.tat and self.tat - PAIR_CREDIT)
        return max(time for time in times if time is not None)


@dataclass(slots=True)
class Selection:
    """The decision on a set of candidates."""

    go: list[Candidate] = field(default_factory=list)
    expired: list[UUID] = field(default_factory=list)
    # The contact was blocked, or opted out, after acceptance: the reason by message.
    refused: dict[UUID, str] = field(default_factory=dict)
    marks: dict[UUID, str] = field(default_factory=dict)
    # Recipients whose turn it is not, and when it may be.
    wake: dict[str, datetime] = field(default_factory=dict)


def select(
    due: Iterable[Candidate],
    heads: Iterable[Candidate],
    room: int,
    taken: set[str],
    now: datetime,
    *,
    refused: Mapping[UUID, str],
) -> Selection:
    """Let up to `room` candidates go, in their order; `taken` (recipients that one goes to) grows by them.

    `refused` holds the reasons of the messages that consent forbids.
    A due message of a recipient with parked ones goes only before that recipient's head, else it joins the queue.
    """
    heads = list(heads)
    first_parked = {head.peer for head in heads}
    result = Selection()
    for candidate in sorted([*due, *heads], key=lambda candidate: candidate.turn):
        if candidate.expired:
            result.expired.append(candidate.message_id)
        elif candidate.message_id in refused:
            result.refused[candidate.message_id] = refused[candidate.message_id]
        elif candidate.hold:
            result.marks[candidate.message_id] = candidate.hold
        elif (
            candidate.peer in taken
            or candidate.busy
            or candidate.ready_at(now) > now
            or (candidate.wake_at is not None and candidate.peer not in first_parked)
        ):
            result.marks[candidate.message_id] = PAIR
            result.wake[candidate.peer] = candidate.ready_at(now)
        elif len(result.go) < room:
            taken.add(candidate.peer)
            result.go.append(candidate)
    return result


# The holds are few and mostly none, so looking through them for each candidate costs next to nothing.
_ABOUT = """
  d.priority, d.due_at, d.id, d.peer, d.template, COALESCE(d.expires_at <= statement_timestamp(), false),
  (SELECT h.kind || ':' || h.id FROM messaging_hold h
   WHERE h.resumed_at IS NULL AND (h.until IS NULL OR h.until > statement_timestamp()) AND (
     (h.kind = 'campaign' AND h.key = d.campaign AND (h.client_id IS NULL OR h.client_id = d.client_id))
     OR (h.kind = 'template' AND h.key = d.template AND (h.number_id IS NULL OR h.number_id = d.number_id)))
   ORDER BY h.id LIMIT 1)
"""

_DUE = f"""
WITH due AS MATERIALIZED (
  SELECT id, number_id, peer, priority, due_at, expires_at, campaign, template, client_id
  FROM messaging_message
  WHERE number_id = %(number_id)s AND due_at IS NOT NULL AND released_at IS NULL AND hold IS NULL
    AND due_at <= statement_timestamp()
  ORDER BY priority, due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
SELECT {_ABOUT},
  EXISTS (SELECT 1 FROM messaging_message f WHERE f.number_id = d.number_id AND f.peer = d.peer
    AND f.released_at IS NOT NULL AND f.outcome_at IS NULL),
  p.tat, p.not_before, p.wake_at
FROM due d LEFT JOIN messaging_pairpace p ON p.number_id = d.number_id AND p.peer = d.peer
"""  # noqa: S608 - constants of this module

# A recipient whose parked messages are all gone (cancelled, expired) has no head: its row comes with an empty id.
_HEADS = f"""
WITH ready AS MATERIALIZED (
  SELECT p.number_id, p.peer, p.tat, p.not_before, p.wake_at FROM messaging_pairpace p
  WHERE p.number_id = %(number_id)s AND p.wake_at <= statement_timestamp()
    AND NOT EXISTS (SELECT 1 FROM messaging_message f WHERE f.number_id = p.number_id AND f.peer = p.peer
      AND f.released_at IS NOT NULL AND f.outcome_at IS NULL)
  ORDER BY p.wake_at LIMIT %(limit)s
)
SELECT {_ABOUT}, false, p.tat, p.not_before, p.wake_at
FROM ready p LEFT JOIN LATERAL (
  SELECT id, number_id, p.peer AS peer, priority, due_at, expires_at, campaign, template, client_id
  FROM messaging_message m WHERE m.number_id = p.number_id AND m.peer = p.peer AND m.hold = 'pair'
  ORDER BY m.priority, m.due_at, m.id LIMIT 1 FOR UPDATE
) d ON true
"""  # noqa: S608 - constants of this module


def due_now(cursor: Any, number_id: int, limit: int) -> list[Candidate]:
    """The most urgent due messages of a number, locked."""
    cursor.execute(_DUE, {"number_id": number_id, "limit": limit})
    return [Candidate(*row) for row in cursor.fetchall()]


def heads_of_pairs(cursor: Any, number_id: int, limit: int) -> list[Candidate]:
    """The first parked message of each recipient whose turn it may be, locked; forgets recipients without one."""
    cursor.execute(_HEADS, {"number_id": number_id, "limit": limit})
    rows = cursor.fetchall()
    if any(row[2] is None for row in rows):
        cursor.execute(
            """
            UPDATE messaging_pairpace p SET wake_at = NULL
            WHERE p.number_id = %s AND p.wake_at <= statement_timestamp() AND NOT EXISTS (
              SELECT 1 FROM messaging_message m
              WHERE m.number_id = p.number_id AND m.peer = p.peer AND m.hold = 'pair')
            """,
            [number_id],
        )
    return [Candidate(*row) for row in rows if row[2] is not None]


def set_aside(cursor: Any, number_id: int, result: Selection) -> None:
    """Mark what has to wait, and note when each recipient's turn may come."""
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
