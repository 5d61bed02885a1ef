"""Status changes: counts and latencies of MessageEvent rows in a range of ids.

The newest rows are left out, because a transaction that commits late has rows with lower ids than visible ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from messaging.models import PRIORITY_NAMES

_SETTLED = """
SELECT least(
  max(id), min(id) FILTER (WHERE recorded_at > statement_timestamp() - make_interval(secs => %(margin)s)) - 1)
FROM (
  SELECT id, recorded_at FROM messaging_messageevent WHERE id > %(after)s ORDER BY id LIMIT %(rows)s) next
"""
_COUNTS = """
SELECT status, CASE WHEN status IN ('pending', 'failed') AND error_title <> '' THEN COALESCE(error_code::text, 'none')
  END AS code, count(*)
FROM messaging_messageevent WHERE id > %(after)s AND id <= %(upto)s AND applied GROUP BY 1, 2
"""
_LATENCY = """
SELECT m.priority, width_bucket(l.s, %(bounds)s::float8[]) AS bucket, count(*), sum(l.s)
FROM messaging_messageevent e JOIN messaging_message m ON m.id = e.message_id
CROSS JOIN LATERAL (SELECT greatest(0, extract(epoch FROM
  e.at - CASE WHEN m.calls <= 1 THEN COALESCE(m.due_at, m.created_at) ELSE m.created_at END))::float8 AS s) l
WHERE e.id > %(after)s AND e.id <= %(upto)s AND e.applied AND e.status = 'accepted' GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class EventRange:
    """Rows with `after` < id ≤ `upto`."""

    after: int
    upto: int

    @property
    def params(self) -> dict[str, int]:
        """The parameters of a query."""
        return {"after": self.after, "upto": self.upto}


def newest_event_id() -> int:
    """The greatest id; 0 without rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(max(id), 0) FROM messaging_messageevent")
        return int(cursor.fetchone()[0])


def settled_range(after: int, rows: int, margin_s: float) -> EventRange | None:
    """The next rows, at most `rows`, before the first one younger than `margin_s`; None if there are none."""
    with connection.cursor() as cursor:
        cursor.execute(_SETTLED, {"after": after, "rows": rows, "margin": margin_s})
        upto = cursor.fetchone()[0]
    return None if upto is None or upto <= after else EventRange(after, int(upto))


def status_change_counts(events: EventRange) -> list[tuple[str, str | None, int]]:
    """Applied changes by status and error code.

    The code is set for failures and retries with an error: Meta's code, or `none` for an error without one.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, events.params)
        return list(cursor.fetchall())


def latency_buckets(events: EventRange, bounds: Sequence[float]) -> list[tuple[str, int, int, float]]:
    """Seconds from due to accepted: priority, index of the bucket in `bounds`, number of messages, sum of seconds.

    A retried message counts from its creation, as its due time has moved.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LATENCY, {**events.params, "bounds": list(bounds)})
        rows = cursor.fetchall()
    return [(PRIORITY_NAMES.get(priority, "other"), bucket, count, total) for priority, bucket, count, total in rows]
