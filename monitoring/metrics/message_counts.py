"""Counters of status changes, read from MessageEvent rows by the monitor at no cost to the lanes.

Each tick reads the rows that are new since the last one. It leaves out the last five seconds, because a transaction
that commits late has rows with lower ids than rows that are visible already. Rows that commit even later are missing
from these counters, and only from them.
"""

from typing import Any

from django.db import connection, transaction

from messaging.models import PRIORITY_NAMES
from monitoring.metrics import totals
from monitoring.models import Position
from waproject.metrics.counters import INFINITY, SLOW_S, SUM, Counter, Histogram, Series

NAME = "message-events"
SETTLED_AFTER_S = 5.0
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

_UPTO = """
SELECT least(
  (SELECT max(id) FROM (SELECT id FROM messaging_messageevent WHERE id > %(position)s ORDER BY id LIMIT %(rows)s) next),
  (SELECT min(id) - 1 FROM messaging_messageevent WHERE id > %(position)s AND id <= (
     SELECT max(id) FROM (
       SELECT id FROM messaging_messageevent WHERE id > %(position)s ORDER BY id LIMIT %(rows)s) next)
     AND recorded_at > statement_timestamp() - make_interval(secs => %(settled)s)))
"""
_STATES = """
SELECT status, CASE WHEN status IN ('pending', 'failed') AND error_title <> '' THEN COALESCE(error_code::text, 'none')
  END AS code, count(*)
FROM messaging_messageevent WHERE id > %(position)s AND id <= %(upto)s AND applied GROUP BY 1, 2
"""
_LATENCY = """
SELECT m.priority, width_bucket(l.s, %(bounds)s::float8[]) AS place, count(*), sum(l.s)
FROM messaging_messageevent e JOIN messaging_message m ON m.id = e.message_id
CROSS JOIN LATERAL (SELECT greatest(0, extract(epoch FROM
  e.at - CASE WHEN m.calls <= 1 THEN COALESCE(m.due_at, m.created_at) ELSE m.created_at END))::float8 AS s) l
WHERE e.id > %(position)s AND e.id <= %(upto)s AND e.applied AND e.status = 'accepted' GROUP BY 1, 2
"""


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
    with transaction.atomic(), connection.cursor() as cursor:
        position = _position(cursor)
        if position is None:
            return 0
        cursor.execute(_UPTO, {"position": position, "rows": ROWS, "settled": SETTLED_AFTER_S})
        upto = cursor.fetchone()[0]
        if upto is None or upto <= position:
            return 0
        span = {"position": position, "upto": upto}
        sums: dict[Series, float] = {}
        _add_states(cursor, span, sums)
        _add_latencies(cursor, span, sums)
        totals.add(sums)
        Position.objects.filter(name=NAME).update(event_id=upto)
    return int(upto) - position


def _position(cursor: Any) -> int | None:
    """The locked position; None while another process counts. It starts at the end: older rows are not counted."""
    cursor.execute(
        """
        INSERT INTO monitoring_position (name, event_id)
        SELECT %s, COALESCE(max(id), 0) FROM messaging_messageevent ON CONFLICT DO NOTHING
        """,
        [NAME],
    )
    cursor.execute("SELECT event_id FROM monitoring_position WHERE name = %s FOR UPDATE SKIP LOCKED", [NAME])
    row = cursor.fetchone()
    return row and int(row[0])


def _add_states(cursor: Any, span: dict[str, int], sums: dict[Series, float]) -> None:
    cursor.execute(_STATES, span)
    for status, code, count in cursor.fetchall():
        _add(sums, (MESSAGES.name, status), count)
        if code is not None:
            _add(sums, ((FAILURES if status == "failed" else RETRIES).name, code), count)


def _add_latencies(cursor: Any, span: dict[str, int], sums: dict[Series, float]) -> None:
    bounds = SEND_LATENCY.bounds
    cursor.execute(_LATENCY, {**span, "bounds": list(bounds)})
    for priority, place, count, seconds in cursor.fetchall():
        name = PRIORITY_NAMES.get(priority, "other")
        bound = repr(bounds[place]) if place < len(bounds) else INFINITY
        _add(sums, (SEND_LATENCY.name, name, bound), count)
        _add(sums, (SEND_LATENCY.name, name, SUM), seconds)


def _add(sums: dict[Series, float], series: Series, by: float) -> None:
    sums[series] = sums.get(series, 0.0) + by
