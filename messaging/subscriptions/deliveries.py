"""Deliveries: claimed in runs, recorded after their attempts.

A run is up to ten deliveries of one lane of one subscription, oldest first, which one thread posts in sequence. A lane
has one run at a time, so events about one person arrive in order as long as the endpoint accepts them.
"""

import json
import logging
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from messaging.models import Delivery, Subscription
from messaging.models.subscriptions import LANES
from messaging.subscriber_http.post import Answer
from messaging.subscriber_http.retry_schedule import PROBED_FROM, EndpointHealth, State, after, decide
from messaging.subscriptions.payloads import build_payloads
from messaging.traces import contexts_of
from waproject.metrics.counters import DELIVERIES

logger = logging.getLogger(__name__)

RUN_LENGTH = 10
# After RUN_S a thread starts no further request of its run. A request takes at most 15 s and a DNS lookup, so a run
# ends within its lease; a lease that expires belongs to a process that was killed.
RUN_S = 10.0
LEASE = timedelta(seconds=60)
# Threads reserved for subscriptions that have none: a slow endpoint then occupies one thread, not eight.
RESERVED_THREADS = 24
LOG_LENGTH = 50
ERROR_LENGTH = 300
HEALTH_FIELDS = (
    "failures", "failing_since", "paused_until", "active", "disabled_at", "disabled_why", "last_error", "last_error_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Post:
    """A claimed delivery; `attempts`: those made before."""

    id: UUID
    body: bytes
    attempts: int
    give_up_at: datetime
    # The trace context of its message, while traces are on.
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """The claimed deliveries of one lane. `secrets`: the signing secrets; `failures`: the endpoint's, in a row."""

    subscription_id: UUID
    url: str
    secrets: tuple[str, ...]
    failures: int
    lease_until: datetime
    posts: tuple[Post, ...]


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One request that was made, and when it began and ended."""

    post: Post
    answer: Answer
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class RunResult:
    """The attempts of a run. Posts without an attempt stay due."""

    run: Run
    attempts: tuple[DeliveryAttempt, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A due delivery; `busy`: whether its subscription has runs in progress."""

    id: UUID
    subscription_id: UUID
    lane: int
    busy: bool = False


def claim_runs(most: int) -> list[Run]:
    """Claim up to `most` runs with a lease. Subscriptions that another process has locked are skipped."""
    with transaction.atomic():
        subscriptions = _claimable_subscriptions()
        if not subscriptions:
            return []
        due = _due(list(subscriptions))
        chosen = select_runs(due, {pk for pk, row in subscriptions.items() if _health(row).is_probed}, most)
        lease_until = timezone.now() + LEASE
        ids = [delivery_id for run in chosen for delivery_id in run]
        Delivery.objects.filter(pk__in=ids).update(lease_until=lease_until)
    rows = Delivery.objects.in_bulk(ids)
    payloads = build_payloads(list(rows.values()))
    _fail_without_payload([pk for pk in ids if pk not in payloads])
    contexts = contexts_of(row.message_id for row in rows.values() if row.message_id)
    runs = [
        _run([rows[pk] for pk in run if pk in payloads], subscriptions, payloads, lease_until, contexts)
        for run in chosen
    ]
    return [run for run in runs if run.posts]


def select_runs(due: Iterable[Waiting], probed: set[UUID], most: int) -> list[list[UUID]]:
    """The next runs: the first lane of each subscription, then further lanes while threads remain.

    A probed subscription gets one delivery.
    """
    lanes: dict[UUID, dict[int, list[UUID]]] = {}
    busy: set[UUID] = set()
    for row in due:
        lane = lanes.setdefault(row.subscription_id, {}).setdefault(row.lane, [])
        if len(lane) < RUN_LENGTH:
            lane.append(row.id)
        if row.busy:
            busy.add(row.subscription_id)
    for pk in probed & lanes.keys():
        first = next(iter(lanes[pk].values()))
        lanes[pk] = {0: first[:1]}
    firsts = [next(iter(by_lane.values())) for pk, by_lane in lanes.items() if pk not in busy]
    turns = zip_longest(*(list(by_lane.values())[pk not in busy :] for pk, by_lane in lanes.items()))
    others = [run for turn in turns for run in turn if run]
    chosen = firsts[:most]
    return chosen + others[: max(0, most - len(chosen) - RESERVED_THREADS)]


def record_runs(results: Sequence[RunResult]) -> None:
    """Record the attempts of runs. A run whose lease another process has taken over changes nothing."""
    now = timezone.now()
    with transaction.atomic():
        # In id order, because each locks its subscription.
        for result in sorted(results, key=lambda result: result.run.subscription_id):
            if result.run.failures or not all(one.answer.is_success for one in result.attempts):
                _record_health(result, now)
        _write([entry for result in results for entry in _entries(result, now)])
    for result in results:
        for one in result.attempts:
            DELIVERIES.inc("delivered" if one.answer.is_success else "refused" if one.answer.status else "unanswered")


def _claimable_subscriptions() -> dict[UUID, Subscription]:
    rows = Subscription.objects.raw(
        """
        SELECT s.* FROM messaging_subscription s LEFT JOIN messaging_apiclient c ON c.id = s.client_id
        WHERE s.active AND s.deleted_at IS NULL AND c.active IS NOT FALSE
          AND (s.paused_until IS NULL OR s.paused_until <= statement_timestamp())
          AND EXISTS (SELECT FROM generate_series(0, %(last_lane)s) AS l(lane) CROSS JOIN LATERAL (
            SELECT FROM messaging_delivery d
            WHERE d.subscription_id = s.id AND d.lane = l.lane AND d.finished_at IS NULL
              AND d.due_at <= statement_timestamp()
              AND (d.lease_until IS NULL OR d.lease_until <= statement_timestamp()) LIMIT 1) w)
        ORDER BY s.id FOR UPDATE OF s SKIP LOCKED
        """,
        {"last_lane": LANES - 1},
    )
    return {row.pk: row for row in rows}


def _due(subscriptions: Sequence[UUID]) -> list[Waiting]:
    """The oldest due deliveries of each lane that has no run; none of a probed subscription that has one.

    One index lookup per lane, so that a lane with a hundred thousand rows costs no more than one with ten.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH busy AS (
              SELECT DISTINCT d.subscription_id, d.lane FROM messaging_delivery d
              WHERE d.subscription_id = ANY(%(subscriptions)s::uuid[]) AND d.finished_at IS NULL
                AND d.lease_until > statement_timestamp()
            )
            SELECT w.id, w.subscription_id, w.lane, EXISTS (SELECT FROM busy b WHERE b.subscription_id = s.id)
            FROM messaging_subscription s CROSS JOIN generate_series(0, %(last_lane)s) AS l(lane) CROSS JOIN LATERAL (
              SELECT d.id, d.subscription_id, d.lane, d.due_at FROM messaging_delivery d
              WHERE d.subscription_id = s.id AND d.lane = l.lane AND d.finished_at IS NULL
                AND d.due_at <= statement_timestamp()
                AND (d.lease_until IS NULL OR d.lease_until <= statement_timestamp())
              ORDER BY d.due_at, d.id LIMIT %(most)s) w
            WHERE s.id = ANY(%(subscriptions)s::uuid[]) AND NOT EXISTS (SELECT FROM busy b
              WHERE b.subscription_id = s.id AND (b.lane = l.lane OR s.failures >= %(probed_from)s))
            ORDER BY w.due_at, w.id
            """,
            {
                "subscriptions": list(subscriptions),
                "most": RUN_LENGTH,
                "probed_from": PROBED_FROM,
                "last_lane": LANES - 1,
            },
        )
        return [Waiting(*row) for row in cursor.fetchall()]


def _run(
    rows: Sequence[Delivery],
    subscriptions: Mapping[UUID, Subscription],
    payloads: Mapping[UUID, bytes],
    lease_until: datetime,
    contexts: Mapping[UUID, str],
) -> Run:
    subscription = subscriptions[rows[0].subscription_id] if rows else Subscription()
    posts = tuple(
        Post(
            row.pk,
            payloads[row.pk],
            row.attempts,
            row.give_up_at,
            contexts.get(row.message_id) if row.message_id else None,
        )
        for row in rows
    )
    valid = (subscription.secret, *_previous(subscription))
    return Run(subscription.pk, subscription.url, valid, subscription.failures, lease_until, posts)


def _previous(subscription: Subscription) -> tuple[str, ...]:
    until = subscription.previous_secret_until
    return (subscription.previous_secret,) if until is not None and until > timezone.now() else ()


def _fail_without_payload(ids: Sequence[UUID]) -> None:
    if ids:
        Delivery.objects.filter(pk__in=ids).update(
            state=State.FAILED,
            finished_at=timezone.now(),
            lease_until=None,
            error="The event's data is no longer stored.",
        )


@dataclass(frozen=True, slots=True)
class _Entry:
    """The change of a delivery's row; without an attempt it only loses its lease."""

    post: Post
    lease_until: datetime
    attempt: DeliveryAttempt | None
    state: State = State.PENDING
    due_at: datetime | None = None


def _entries(result: RunResult, now: datetime) -> list[_Entry]:
    attempts = {one.post.id: one for one in result.attempts}
    entries = []
    for post in result.run.posts:
        one = attempts.get(post.id)
        if one is None:
            entries.append(_Entry(post, result.run.lease_until, None))
            continue
        chance = random.random()  # noqa: S311 - jitter, no secret
        decision = decide(one.answer, post.attempts + 1, post.give_up_at, now, chance)
        entries.append(_Entry(post, result.run.lease_until, one, decision.state, decision.due_at))
    return entries


def _write(entries: Sequence[_Entry]) -> None:
    if not entries:
        return
    entries = sorted(entries, key=lambda entry: entry.post.id)
    answers = [entry.attempt and entry.attempt.answer for entry in entries]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE messaging_delivery d SET
              state = t.state, due_at = coalesce(t.due_at, d.due_at), lease_until = NULL,
              finished_at = CASE WHEN t.state <> 'pending' THEN statement_timestamp() END,
              attempts = d.attempts + (t.entry IS NOT NULL)::int,
              status_code = CASE WHEN t.entry IS NULL THEN d.status_code ELSE t.status_code END,
              duration_ms = coalesce(t.duration_ms, d.duration_ms),
              error = coalesce(t.error, d.error),
              log = CASE WHEN t.entry IS NULL THEN d.log WHEN jsonb_array_length(d.log) < %(log_length)s
                THEN d.log || t.entry ELSE (d.log - 0) || t.entry END
            FROM unnest(%(ids)s::uuid[], %(leases)s::timestamptz[], %(states)s::text[], %(dues)s::timestamptz[],
              %(status_codes)s::int[], %(durations)s::int[], %(errors)s::text[], %(log)s::jsonb[])
              AS t(id, lease, state, due_at, status_code, duration_ms, error, entry)
            WHERE d.id = t.id AND d.lease_until = t.lease AND d.finished_at IS NULL
            """,
            {
                "log_length": LOG_LENGTH,
                "ids": [entry.post.id for entry in entries],
                "leases": [entry.lease_until for entry in entries],
                "states": [entry.state.value for entry in entries],
                "dues": [entry.due_at for entry in entries],
                "status_codes": [answer and answer.status for answer in answers],
                "durations": [answer and answer.duration_ms for answer in answers],
                "errors": [answer and answer.error[:ERROR_LENGTH] for answer in answers],
                "log": [entry.attempt and _line(entry.attempt) for entry in entries],
            },
        )


def _line(attempt: DeliveryAttempt) -> str:
    answer = attempt.answer
    line = {"at": attempt.started_at.isoformat(), "status_code": answer.status, "duration_ms": answer.duration_ms}
    return json.dumps({**line, "error": answer.error[:ERROR_LENGTH]})


def _record_health(result: RunResult, now: datetime) -> None:
    row = Subscription.objects.select_for_update().filter(pk=result.run.subscription_id).first()
    if row is None or not row.active:
        return
    health = _health(row)
    for one in result.attempts:
        health = after(health, one.answer, one.started_at, one.ended_at)
    row.failures, row.failing_since = health.failures, health.failing_since
    row.paused_until = health.paused_until
    for one in result.attempts:
        if one.answer.error:
            row.last_error, row.last_error_at = one.answer.error[:ERROR_LENGTH], one.ended_at
    if health.disabled_why:
        row.active, row.disabled_at, row.disabled_why = False, now, health.disabled_why[:ERROR_LENGTH]
        logger.error("subscription %s disabled: %s", row.pk, row.disabled_why)
    row.save(update_fields=HEALTH_FIELDS)


def _health(row: Subscription) -> EndpointHealth:
    return EndpointHealth(row.failures, row.failing_since, row.paused_until)
