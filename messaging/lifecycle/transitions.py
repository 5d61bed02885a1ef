"""Status transitions: one statement for any number of messages, which also writes the trail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from messaging.lifecycle import pricing_sql
from messaging.lifecycle.deadlock_retry import retrying_deadlocks
from messaging.lifecycle.domain_events import StatusChanged, happened, one_transaction
from messaging.lifecycle.duplicate_sends import mark_doubled
from messaging.lifecycle.pricing_sql import Priced, place_of, price_late
from messaging.models import Message, MessageEvent
from messaging.signals import announce, events_recorded
from messaging.states import FAILED_BY_META, LEGAL_MOVES, OF_ANOTHER_ATTEMPT, RANK, TAKEN_BY_META, Status
from messaging.whatsapp.inbound import Pricing
from waproject.logs.context import note_messages

TITLE_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Change:
    """One wanted move, or one piece of evidence."""

    message_id: UUID
    status: Status
    at: datetime
    # Who says so: api, dispatcher, worker, webhook, operator.
    source: str
    wamid: str | None = None
    error_code: int | None = None
    error_title: str = ""
    # Evidence that may come twice has a key; the same key is logged once.
    key: str | None = None
    # For a move to `pending`: when to try again; None keeps the message's turn.
    due_at: datetime | None = None
    # Whether this outcome counts as one of the message's attempts.
    counts: bool = False
    # Only a message that is still in this state moves, so that a sweep never overtakes a worker.
    expected: Status | None = None
    # Only a message that is still of this release moves, so that an outcome written twice never touches the next try.
    release_id: UUID | None = None
    # The attempt that this is the outcome of: its number, and the outcome's name. It is kept as an `Attempt`.
    call: int | None = None
    outcome: str | None = None
    # Meta's cap on marketing put it off: the next time it fails.
    caps: bool = False
    # It fails for want of attempts: it goes to the DLQ and may be revived.
    exhausted: bool = False
    # What Meta says that it costs.
    pricing: Pricing | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """A MessageEvent that was written, and whether the message moved."""

    event_id: int
    message_id: UUID
    status: Status
    applied: bool


# Rows are locked in id order, so overlapping statements wait for each other instead of deadlocking. A sort key of
# -1 is for states that never compete in one batch. Whose attempt a `sent` or `failed` must be of: see states.py.
# The parts in braces are empty where no status has a price (pricing_sql.py).
_TEMPLATE = """
WITH given AS (
  SELECT * FROM unnest(%(ids)s::uuid[], %(statuses)s::text[], %(ranks)s::int[], %(ats)s::timestamptz[],
    %(sources)s::text[], %(wamids)s::text[], %(codes)s::int[], %(titles)s::text[], %(keys)s::text[],
    %(dues)s::timestamptz[], %(counts)s::bool[], %(expected)s::text[], %(releases)s::uuid[], %(calls)s::int[],
    %(outcomes)s::text[], %(caps)s::bool[], %(exhausted)s::bool[]{GIVEN})
    AS t(id, status, rank, at, source, wamid, code, title, key, due_at, counts, expected, release_id, call, outcome,
      caps, exhausted{GIVEN_NAMES})
), last AS (
  SELECT DISTINCT ON (id) * FROM given ORDER BY id, rank DESC, at{PRICE}
), locked AS (
  SELECT m.id, m.status AS before, m.wamid, m.calls{LOCKED} FROM messaging_message m JOIN last l ON l.id = m.id
  ORDER BY m.id FOR UPDATE OF m
), moved AS (
  UPDATE messaging_message m SET
    status = l.status,
    updated_at = statement_timestamp(),
    wamid = CASE WHEN l.status = 'accepted' THEN l.wamid ELSE COALESCE(m.wamid, l.wamid) END,
    error_code = CASE WHEN l.status IN ('accepted', 'sent', 'delivered', 'read') THEN NULL
      WHEN l.title = '' THEN m.error_code ELSE l.code END,
    error_title = CASE WHEN l.status IN ('accepted', 'sent', 'delivered', 'read') THEN ''
      WHEN l.title = '' THEN m.error_title ELSE l.title END,
    due_at = CASE WHEN l.status = 'pending' THEN COALESCE(l.due_at, m.due_at, statement_timestamp())
      ELSE m.due_at END,
    released_at = CASE WHEN l.status = 'pending' THEN NULL ELSE COALESCE(m.released_at, statement_timestamp()) END,
    outcome_at = CASE WHEN l.status = 'pending' THEN NULL ELSE COALESCE(m.outcome_at, statement_timestamp()) END,
    unknown_at = CASE WHEN l.status = 'unknown' THEN l.at END,
    hold = NULL,
    lease_until = NULL,
    attempts = m.attempts + l.counts::int,
    capped_at = CASE WHEN l.caps THEN statement_timestamp() ELSE m.capped_at END,
    exhausted_at = CASE WHEN l.exhausted THEN statement_timestamp() END,
    dead_lettered_at = NULL{MOVED_SET}
  FROM last l JOIN locked k ON k.id = l.id{MOVED_JOIN}
  WHERE m.id = l.id AND k.before || '>' || l.status = ANY(%(legal)s)
    AND (l.expected IS NULL OR l.expected = k.before)
    AND (l.release_id IS NULL OR l.release_id = m.release_id)
    AND NOT (k.before || '>' || l.status = ANY(%(of_another)s) AND k.wamid IS NOT DISTINCT FROM l.wamid)
    AND (l.status <> 'failed' OR l.wamid IS NULL
      OR (k.wamid = l.wamid AND k.before = ANY(%(failed_by_meta)s))
      OR (k.wamid IS NULL AND (k.calls <= 1 OR k.before = 'unknown')))
  RETURNING m.id
), logged AS (
  INSERT INTO messaging_messageevent (message_id, status, at, source, applied, error_code, error_title, key{NAMES})
  SELECT g.id, g.status, g.at, g.source, v.id IS NOT NULL AND k.before || '>' || g.status = ANY(%(legal)s),
    g.code, g.title, g.key{LOGGED}
  FROM given g JOIN locked k ON k.id = g.id LEFT JOIN moved v ON v.id = g.id
  ORDER BY g.id, g.rank
  ON CONFLICT (message_id, key) DO NOTHING
  RETURNING id, message_id, status, applied
), attempted AS (
  INSERT INTO messaging_attempt (message_id, n, wamid, outcome, error_code, error_title, at)
  SELECT g.id, g.call, g.wamid, g.outcome, g.code, g.title, g.at FROM given g JOIN locked k ON k.id = g.id
  WHERE g.outcome IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM messaging_attempt a WHERE a.message_id = g.id AND a.n = g.call)
)
SELECT l.id, l.message_id, l.status, l.applied, k.wamid{PLACE} FROM logged l JOIN locked k ON k.id = l.message_id
"""
_PARTS = ("GIVEN", "GIVEN_NAMES", "NAMES", "PRICE", "LOCKED", "MOVED_SET", "MOVED_JOIN", "LOGGED", "PLACE")
_STATEMENT = _TEMPLATE.format_map(dict.fromkeys(_PARTS, ""))
_PRICED_STATEMENT = _TEMPLATE.format_map({part: getattr(pricing_sql, part) for part in _PARTS})


@retrying_deadlocks
def advance_many(changes: Sequence[Change]) -> list[Logged]:
    """Apply changes to any number of messages, in one statement, and log each piece of evidence once.

    Several changes to one message: the highest state is the last word, all are logged. A change that is not legal
    (`messaging.states`) moves nothing and is logged as not applied. Returns what was logged; the trail's new rows are
    announced after the commit.
    """
    if not changes:
        return []
    with one_transaction():
        return _advance(changes)


def _advance(changes: Sequence[Change]) -> list[Logged]:
    priced = any(change.pricing for change in changes)
    decide = pricing_sql.deciding(changes) if priced else {}
    with connection.cursor() as cursor:
        cursor.execute(
            _PRICED_STATEMENT if priced else _STATEMENT,
            {
                **(pricing_sql.parameters(changes, decide) if priced else {}),
                "ids": [change.message_id for change in changes],
                "statuses": [change.status.value for change in changes],
                "ranks": [RANK.get(change.status, -1) for change in changes],
                "ats": [change.at for change in changes],
                "sources": [change.source for change in changes],
                "wamids": [change.wamid for change in changes],
                "codes": [change.error_code for change in changes],
                "titles": [change.error_title[:TITLE_LENGTH] for change in changes],
                "keys": [change.key for change in changes],
                "dues": [change.due_at for change in changes],
                "counts": [change.counts for change in changes],
                "expected": [change.expected and change.expected.value for change in changes],
                "releases": [change.release_id for change in changes],
                "calls": [change.call for change in changes],
                "outcomes": [change.outcome for change in changes],
                "caps": [change.caps for change in changes],
                "exhausted": [change.exhausted for change in changes],
                "legal": LEGAL_MOVES,
                "failed_by_meta": FAILED_BY_META,
                "of_another": OF_ANOTHER_ATTEMPT,
            },
        )
        rows = cursor.fetchall()
    _look_for_doubles(changes, {message_id: wamid for _, message_id, _, _, wamid, *_ in rows if wamid})
    logged = [
        Logged(event_id, message_id, Status(status), applied) for event_id, message_id, status, applied, *_ in rows
    ]
    if decide:
        _price_late(decide, logged, {row[1]: row[5] for row in rows})
    note_messages(event.message_id for event in logged if event.applied)
    happened([StatusChanged(event.message_id, event.status, event.event_id) for event in logged if event.applied])
    announce_events([event.event_id for event in logged])
    return logged + _failures_that_came_first(changes, logged)


def _price_late(decide: Mapping[UUID, Priced], logged: Sequence[Logged], places: Mapping[UUID, int]) -> None:
    """The prices of statuses that moved nothing, where they decide all the same."""
    moved = {event.message_id for event in logged if event.applied}
    late = [
        change
        for message_id, change in decide.items()
        if message_id in places and message_id not in moved and place_of(change.status) > places[message_id]
    ]
    if late:
        price_late(late)


def _look_for_doubles(changes: Sequence[Change], known: Mapping[UUID, str]) -> None:
    """Whether Meta speaks of another wamid than the one that we knew: then it has the message twice."""
    others = {
        (change.message_id, known[change.message_id], change.wamid)
        for change in changes
        if change.status in TAKEN_BY_META
        and change.wamid
        and known.get(change.message_id, change.wamid) != change.wamid
    }
    if others:
        mark_doubled(others)


def _failures_that_came_first(changes: Sequence[Change], logged: Sequence[Logged]) -> list[Logged]:
    """The `failed` of a later attempt, where the webhook overtook the answer: only now we know whose it is."""
    accepted = {event.message_id for event in logged if event.applied and event.status is Status.ACCEPTED}
    keys = {
        f"{change.wamid}:{Status.FAILED}"
        for change in changes
        if change.message_id in accepted and (change.call or 0) > 1 and change.wamid
    }
    if not keys:
        return []
    failures = MessageEvent.objects.filter(message_id__in=accepted, key__in=keys, applied=False).order_by("message_id")
    return advance_many(
        [
            Change(
                failure.message_id,
                Status.FAILED,
                failure.at,
                failure.source,
                wamid=(failure.key or "").rpartition(":")[0],
                error_code=failure.error_code,
                error_title=failure.error_title,
            )
            for failure in failures
        ]
    )


def announce_events(event_ids: Sequence[int]) -> None:
    """Send `events_recorded` for new MessageEvent rows after the commit; at once outside a transaction."""
    if event_ids:
        transaction.on_commit(lambda: announce(events_recorded, Message, event_ids=list(event_ids)))
