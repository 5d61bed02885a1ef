"""Locks of counting, and the one order in which every transaction takes them.

1. Rows of `analytics_bucket`, by start. Counts take those that are free and wait for none.
2. "analytics days": shared by counts, exclusive for what adds or deletes days.
3. "analytics hour" of one hour: by the count of its quarters.
4. "analytics dimensions": by what stores new dimensions. Counts take it if they have some, sums of a day always, since
   they learn only behind the lock of the day whether they need it.
5. Rows of `analytics_day`, by start and length. Sums of a day take one that is free and wait for none.

All of them end with the transaction.
"""

from datetime import datetime
from typing import Any

_DAYS = "hashtext('analytics days')"
_DIMENSIONS = "pg_advisory_xact_lock(hashtext('analytics dimensions'))"

# For a statement that learns while it runs whether dimensions are missing: without any, it takes no lock.
DIMENSIONS_FOR_MISSING = f"SELECT {_DIMENSIONS} FROM missing LIMIT 1"  # noqa: S608 - a constant
# The days that hold one of the quarters of an hour `times`; 26 hours: `days.LONGEST_DAY`.
DAYS_OF_TIMES = """
SELECT start, minutes FROM analytics_day c
WHERE EXISTS (SELECT FROM unnest(%(times)s::timestamptz[]) AS t(at)
  WHERE c.start <= t.at AND c.start > t.at - interval '26 hours' AND c.start + c.minutes * interval '1 minute' > t.at)
ORDER BY start, minutes FOR UPDATE
"""


def buckets_where(chosen: str) -> str:
    """SQL that locks the buckets `b` for which `chosen` is true; their starts."""
    return f"SELECT b.start FROM analytics_bucket b WHERE {chosen} ORDER BY b.start FOR UPDATE"  # noqa: S608 - constants


def lock_counting(cursor: Any) -> None:
    """Begin a count: no day is added or deleted until its end. A day that a count cannot see would not become dirty."""
    cursor.execute(f"SELECT pg_advisory_xact_lock_shared({_DAYS})")


def try_adding_days(cursor: Any) -> bool:
    """Whether no count runs; then none begins until the end of the transaction."""
    cursor.execute(f"SELECT pg_try_advisory_xact_lock({_DAYS})")
    return bool(cursor.fetchone()[0])


def lock_hour(cursor: Any, hour: datetime) -> None:
    """Wait for another count of this hour: each needs to see the other's counts."""
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('analytics hour'), %s)", [int(hour.timestamp() // 3600)])


def lock_dimensions(cursor: Any) -> None:
    """Wait for what stores new dimensions."""
    cursor.execute(f"SELECT {_DIMENSIONS}")


def stop_counting(cursor: Any) -> None:
    """Wait for all counts and sums of days; none begins until the end of the transaction."""
    cursor.execute(f"SELECT pg_advisory_xact_lock({_DAYS})")
    lock_dimensions(cursor)
