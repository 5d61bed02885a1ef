"""Counters of status changes, read from MessageEvent rows by the monitor at no cost to the lanes.

Each tick reads the rows that are new since the last one. It leaves out the last five seconds, because a transaction
that commits late has rows with lower ids than rows that are visible already. Rows that commit even later are missing
from these counters, and only from them.
"""

from django.db import transaction

from messaging import monitoring_queries as queries
from monitoring.metrics import totals
from monitoring.models import Position
from waproject.metrics.counters import INFINITY, SLOW_S, SUM, Counter, Histogram, Series

NAME = "message-events"
MARGIN_S = 5.0
# Rows of one statement; a backlog after an outage of the monitor takes several.
ROWS = 20_000
STATEMENTS = 50

MESSAGES = Counter("waproject_message_states_total", "Messages that reached a state", ("state",))
RETRIES = Counter("waproject_retries_total", "Sends that are retried, by error code", ("code",))
FAILURES = Counter("waproject_failures_total", "Messages that failed, by error code", ("code",))
SEND_LATENCY = Histogram(
    "waproject_send_latency_seconds", "From when a message was due until Meta accepted it", ("priority",), SLOW_S
)
FROM_EVENTS: tuple[Counter | Histogram, ...] = (MESSAGES, RETRIES, FAILURES, SEND_LATENCY)


def count_new_events() -> int:
    """Add new rows to the totals; returns by how many ids the position moved. One process at a time counts."""
    moved = 0
    for _ in range(STATEMENTS):
        by = _count_batch()
        moved += by
        if by < ROWS:
            break
    return moved


def _count_batch() -> int:
    with transaction.atomic():
        position = _locked_position()
        if position is None:
            return 0
        events = queries.settled_range(position, ROWS, MARGIN_S)
        if events is None:
            return 0
        totals.add(_increments(events))
        Position.objects.filter(name=NAME).update(event_id=events.upto)
    return events.upto - events.after


def _locked_position() -> int | None:
    """The locked position; None while another process counts. It starts at the end: older rows are not counted."""
    if not Position.objects.filter(name=NAME).exists():
        Position.objects.bulk_create([Position(name=NAME, event_id=queries.newest_event_id())], ignore_conflicts=True)
    row = Position.objects.select_for_update(skip_locked=True).filter(name=NAME).first()
    return row.event_id if row else None


def _increments(events: queries.EventRange) -> dict[Series, float]:
    sums: dict[Series, float] = {}
    for status, code, count in queries.status_change_counts(events):
        _add(sums, (MESSAGES.name, status), count)
        if code is not None:
            _add(sums, ((FAILURES if status == "failed" else RETRIES).name, code), count)
    bounds = SEND_LATENCY.bounds
    for priority, bucket, count, seconds in queries.latency_buckets(events, bounds):
        bound = repr(bounds[bucket]) if bucket < len(bounds) else INFINITY
        _add(sums, (SEND_LATENCY.name, priority, bound), count)
        _add(sums, (SEND_LATENCY.name, priority, SUM), seconds)
    return sums


def _add(sums: dict[Series, float], series: Series, by: float) -> None:
    sums[series] = sums.get(series, 0.0) + by
