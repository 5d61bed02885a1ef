"""Status transitions: one statement for any number of messages, which also writes the trail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from messaging.lifecycle import pricing_sql
from messaging.lifecycle.deadlock_retry import retry_on_deadlock
from messaging.lifecycle.domain_events import StatusChanged, atomic_if_outbox, publish_events
from messaging.lifecycle.duplicate_sends import mark_duplicate_sends
from messaging.lifecycle.pricing_sql import Priced, place_of, price_late
from messaging.models import Message, MessageEvent
from messaging.signals import announce, events_recorded
from messaging.states import (
    FAILED_BY_META,
    LEGAL_MOVES,
    OF_ANOTHER_ATTEMPT,
    OF_TAKEN_ATTEMPT,
    RANK,
    RETRIED_BY_ANSWER,
    TAKEN_BY_META,
    Status,
)
from messaging.whatsapp.inbound import Pricing
from waproject.logs.context import note_messages

TITLE_LENGTH = 255
# The `peer` of an erased person begins with this (messaging/erasure). Reports of the message store no wamid, since a
# wamid contains the phone number.
ERASED_PEER = "erased:"
# Where the country of the address is known, it follows this. Erasures of former versions did not keep it.
ERASED_PEER_WITH_COUNTRY = f"{ERASED_PEER}+"


@dataclass(frozen=True, slots=True)
class Change:
    """A status to move a message to, or a report of one."""

    message_id: UUID
    status: Status
    at: datetime
    # The origin: api, dispatcher, worker, webhook, operator.
    source: str
    wamid: str | None = None
    error_code: int | None = None
    error_title: str = ""
    # Reports that may arrive twice have a key; each key is recorded once per message.
    key: str | None = None
    # For a move to `pending`: the time of the next try; None keeps the message's place in the queue.
    due_at: datetime | None = None
    # Whether this outcome counts against the message's attempts.
    counts: bool = False
    # Apply only while the message has this status, so that a sweep never overrides a worker.
    expected: Status | None = None
    # Apply only while the message belongs to this release, so that an outcome recorded twice leaves the next try alone.
    release_id: UUID | None = None
    # The number of the call that ended and the name of its outcome, for a row of `Attempt`.
    call: int | None = None
    outcome: str | None = None
    # Meta's cap on marketing postponed the message: the next time it fails.
    caps: bool = False
    # The message fails because its attempts are used up: it goes to the DLQ and may be redriven.
    exhausted: bool = False
    # For a move to `accepted`: Meta holds it for now. Every other move ends a hold.
    hold: str | None = None
    # What Meta says that it costs.
    pricing: Pricing | None = None


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """A MessageEvent that was written; `applied`: whether the message changed its status."""

    event_id: int
    message_id: UUID
    status: Status
    applied: bool


# Rows are locked in id order, so overlapping statements wait for each other instead of deadlocking. Rank -1 is for
# statuses that never compete in one batch. states.py says which attempt a `sent` or `failed` must belong to; an
# answer that comes in once its call is over, after the `failed` of its own, says nothing new. A refused call fails no
# message that Meta took with another call, and makes no message pending that was given up before its answer. An
# attempt counts with its answer, or with a status of Meta's that comes before it or in its stead, or with the
# decision to send it again.
# The parts in braces are empty where no status has a price (pricing_sql.py).
_TEMPLATE = """
WITH given AS (
  SELECT * FROM unnest(%(ids)s::uuid[], %(statuses)s::text[], %(ranks)s::int[], %(ats)s::timestamptz[],
    %(sources)s::text[], %(wamids)s::text[], %(codes)s::int[], %(titles)s::text[], %(keys)s::text[],
    %(dues)s::timestamptz[], %(counts)s::bool[], %(expected)s::text[], %(releases)s::uuid[], %(calls)s::int[],
    %(outcomes)s::text[], %(caps)s::bool[], %(exhausted)s::bool[], %(holds)s::text[]{GIVEN})
    AS t(id, status, rank, at, source, wamid, code, title, key, due_at, counts, expected, release_id, call, outcome,
      caps, exhausted, hold{GIVEN_NAMES})
), last AS (
  SELECT DISTINCT ON (id) * FROM given ORDER BY id, rank DESC, at{PRICE}
), locked AS (
  SELECT m.id, m.status AS before, m.wamid, m.calls, starts_with(m.peer, %(erased)s) AS is_erased{LOCKED}
  FROM messaging_message m JOIN last l ON l.id = m.id
  ORDER BY m.id FOR UPDATE OF m
), moved AS (
  UPDATE messaging_message m SET
    status = l.status,
    updated_at = statement_timestamp(),
    wamid = CASE WHEN k.is_erased THEN NULL
      WHEN l.status = 'accepted' OR k.before || '>' || l.status = ANY(%(of_taken_attempt)s)
      THEN COALESCE(l.wamid, m.wamid) ELSE COALESCE(m.wamid, l.wamid) END,
    error_code = CASE WHEN l.status IN ('accepted', 'sent', 'delivered', 'read') THEN NULL
      WHEN l.title = '' THEN m.error_code ELSE l.code END,
    error_title = CASE WHEN l.status IN ('accepted', 'sent', 'delivered', 'read') THEN ''
      WHEN l.title = '' THEN m.error_title ELSE l.title END,
    due_at = CASE WHEN l.status = 'pending' THEN COALESCE(l.due_at, m.due_at, statement_timestamp())
      ELSE m.due_at END,
    released_at = CASE WHEN l.status = 'pending' THEN NULL ELSE COALESCE(m.released_at, statement_timestamp()) END,
    outcome_at = CASE WHEN l.status = 'pending' THEN NULL ELSE COALESCE(m.outcome_at, statement_timestamp()) END,
    unknown_at = CASE WHEN l.status = 'unknown' THEN l.at END,
    hold = CASE WHEN l.status = 'accepted' THEN l.hold END,
    lease_until = NULL,
    attempts = m.attempts + ((l.counts AND NOT (l.status = 'accepted'
        AND (k.before IN ('pending', 'queued')
          OR (k.before IN ('failed', 'cancelled', 'expired') AND l.call < k.calls))))
      OR (l.wamid IS NOT NULL AND k.before IN ('sending', 'unknown')))::int,
    capped_at = CASE WHEN l.caps THEN statement_timestamp() ELSE m.capped_at END,
    exhausted_at = CASE WHEN l.exhausted THEN statement_timestamp() END,
    dead_lettered_at = NULL{MOVED_SET}
  FROM last l JOIN locked k ON k.id = l.id{MOVED_JOIN}
  WHERE m.id = l.id AND k.before || '>' || l.status = ANY(%(legal)s)
    AND (l.expected IS NULL OR l.expected = k.before)
    AND (l.release_id IS NULL OR l.release_id = m.release_id)
    AND (l.status <> 'pending' OR l.call IS NULL OR k.before = ANY(%(retried_by_answer)s))
    AND NOT (k.before || '>' || l.status = ANY(%(of_another)s) AND k.wamid IS NOT DISTINCT FROM l.wamid)
    AND (l.status <> 'failed' OR (l.wamid IS NULL AND (l.call IS NULL OR NOT k.before = ANY(%(failed_by_meta)s)))
      OR (k.wamid = l.wamid AND k.before = ANY(%(failed_by_meta)s))
      OR (k.wamid IS NULL AND (k.calls <= 1 OR k.before = 'unknown')))
    AND (l.status <> 'accepted' OR (k.calls <= l.call AND k.before IN ('sending', 'unknown')) OR NOT EXISTS (
      SELECT FROM messaging_messageevent e WHERE e.message_id = m.id AND e.key = l.wamid || ':failed'))
  RETURNING m.id
), logged AS (
  INSERT INTO messaging_messageevent (message_id, status, at, source, applied, error_code, error_title, key{NAMES})
  SELECT g.id, g.status, g.at, g.source, v.id IS NOT NULL AND k.before || '>' || g.status = ANY(%(legal)s),
    g.code, g.title, CASE WHEN NOT k.is_erased THEN g.key END{LOGGED}
  FROM given g JOIN locked k ON k.id = g.id LEFT JOIN moved v ON v.id = g.id
  ORDER BY g.id, g.rank
  ON CONFLICT (message_id, key) DO NOTHING
  RETURNING id, message_id, status, applied
), attempted AS (
  INSERT INTO messaging_attempt (message_id, n, wamid, outcome, error_code, error_title, at)
  SELECT g.id, g.call, CASE WHEN NOT k.is_erased THEN g.wamid END, g.outcome, g.code, g.title, g.at
  FROM given g JOIN locked k ON k.id = g.id
  WHERE g.outcome IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM messaging_attempt a WHERE a.message_id = g.id AND a.n = g.call)
    -- What this statement has waited for is not in its snapshot, but in the locked row: the sweep of expired leases.
    AND NOT (k.before = 'unknown' AND k.calls = g.call)
)
SELECT l.id, l.message_id, l.status, l.applied, k.wamid{PLACE} FROM logged l JOIN locked k ON k.id = l.message_id
"""
_PARTS = ("GIVEN", "GIVEN_NAMES", "NAMES", "PRICE", "LOCKED", "MOVED_SET", "MOVED_JOIN", "LOGGED", "PLACE")
_STATEMENT = _TEMPLATE.format_map(dict.fromkeys(_PARTS, ""))
_PRICED_STATEMENT = _TEMPLATE.format_map({part: getattr(pricing_sql, part) for part in _PARTS})


@retry_on_deadlock
def advance_many(changes: Sequence[Change]) -> list[RecordedEvent]:
    """Apply changes to any number of messages in one statement, and record each report once.

    Of several changes to one attempt of a message the highest status wins; all are recorded. An illegal change
    (`messaging.states`) is recorded as not applied. Returns the recorded events and announces them after the commit.
    """
    if not changes:
        return []
    with atomic_if_outbox():
        return [event for part in _parts(changes) for event in _advance(part)]


def _parts(changes: Sequence[Change]) -> Sequence[Sequence[Change]]:
    """The changes for one statement each: all in one, unless a message has changes that concern different attempts.

    Of these one may move it where the other, with a higher status, may not. Its row is locked by the first statement.
    """
    attempts: dict[UUID, dict[tuple[str | None, int | None, Status | None], int]] = {}
    parts: list[list[Change]] = [[]]
    for change in changes:
        known = attempts.setdefault(change.message_id, {})
        attempt = change.wamid, change.call, change.expected
        place = known.setdefault(attempt, len(known)) if change.wamid or change.call else 0
        if place == len(parts):
            parts.append([])
        parts[place].append(change)
    return [part for part in parts if part]


def _advance(changes: Sequence[Change]) -> list[RecordedEvent]:
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
                "holds": [change.hold for change in changes],
                "erased": ERASED_PEER,
                "legal": LEGAL_MOVES,
                "failed_by_meta": FAILED_BY_META,
                "retried_by_answer": RETRIED_BY_ANSWER,
                "of_another": OF_ANOTHER_ATTEMPT,
                "of_taken_attempt": OF_TAKEN_ATTEMPT,
            },
        )
        rows = cursor.fetchall()
    _find_duplicate_sends(changes, {message_id: wamid for _, message_id, _, _, wamid, *_ in rows if wamid})
    recorded = [
        RecordedEvent(event_id, message_id, Status(status), applied)
        for event_id, message_id, status, applied, *_ in rows
    ]
    if decide:
        _price_late(decide, recorded, {row[1]: row[5] for row in rows})
    note_messages(event.message_id for event in recorded if event.applied)
    publish_events(
        [StatusChanged(event.message_id, event.status, event.event_id) for event in recorded if event.applied]
    )
    announce_events([event.event_id for event in recorded])
    return recorded + _apply_early_failures(changes, recorded)


def _price_late(decide: Mapping[UUID, Priced], recorded: Sequence[RecordedEvent], places: Mapping[UUID, int]) -> None:
    """Store the prices of statuses that moved no message but decide its price."""
    moved = {event.message_id for event in recorded if event.applied}
    late = [
        change
        for message_id, change in decide.items()
        if message_id in places and message_id not in moved and place_of(change.status) > places[message_id]
    ]
    if late:
        price_late(late)


def _find_duplicate_sends(changes: Sequence[Change], known: Mapping[UUID, str]) -> None:
    """Mark messages that Meta reports under another wamid than the stored one: it has accepted them twice."""
    others = {
        (change.message_id, known[change.message_id], change.wamid)
        for change in changes
        if change.status in TAKEN_BY_META
        and change.wamid
        and known.get(change.message_id, change.wamid) != change.wamid
    }
    if others:
        mark_duplicate_sends(others)


def _apply_early_failures(changes: Sequence[Change], recorded: Sequence[RecordedEvent]) -> list[RecordedEvent]:
    """Apply `failed` webhooks that overtook the answer of their call: only its wamid shows which attempt they mean."""
    accepted = {event.message_id for event in recorded if event.applied and event.status is Status.ACCEPTED}
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
