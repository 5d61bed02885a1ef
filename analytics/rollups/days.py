"""Days, summed up from their hours: 90 days are then a tenth of the rows.

Every day in UTC that has messages is summed up, and the days of other time zones that questions have asked for
(`request_days`): 24 hours from any quarter of an hour. A day is summed up now and then, not with every quarter of it:
that would cost more than all recounts. Until then it is dirty, and questions read its hours.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from analytics.models import Day
from analytics.rollups.charges import sum_charges
from analytics.rollups.quarters import DAY, HOUR, day_of, gap_s, hour_of
from analytics.rollups.storing import sum_up

MINUTES = 1440
# Times of the day (UTC) at which days begin that are summed up: a company's zones, with summer time.
MAX_BEGINNINGS = 12

# Held by counts, shared, until their end, and by what wants new days: a day that a count cannot see would not be made
# dirty by it.
_COUNTING = "SELECT pg_advisory_xact_lock_shared(hashtext('analytics days'))"
_WANTING = "SELECT pg_try_advisory_xact_lock(hashtext('analytics days'))"
_DIRTY_DAY = """
INSERT INTO analytics_day (start, dirty_since, due_at, took_ms)
VALUES (%s, statement_timestamp(), statement_timestamp(), 0)
ON CONFLICT (start) DO UPDATE
  SET dirty_since = COALESCE(analytics_day.dirty_since, EXCLUDED.dirty_since)
"""
# In order, so that two counts cannot deadlock.
_DIRTY_DAYS = """
UPDATE analytics_day d SET dirty_since = COALESCE(d.dirty_since, statement_timestamp())
FROM (
  SELECT start FROM analytics_day c
  WHERE EXISTS (SELECT FROM unnest(%(times)s::timestamptz[]) AS t(at)
    WHERE c.start <= t.at AND c.start > t.at - interval '24 hours')
  ORDER BY start FOR UPDATE
) AS touched WHERE d.start = touched.start
"""
_MISSING = """
SELECT wanted.start FROM unnest(%(starts)s::timestamptz[]) AS wanted(start)
WHERE NOT EXISTS (SELECT FROM analytics_day d WHERE d.start = wanted.start)
  AND EXISTS (SELECT FROM analytics_bucket b WHERE b.start >= wanted.start
    AND b.start < wanted.start + interval '24 hours')
ORDER BY 1
"""
_BEGINNINGS = "SELECT DISTINCT (start AT TIME ZONE 'UTC')::time FROM analytics_day"
_WANT = """
INSERT INTO analytics_day (start, dirty_since, due_at, took_ms)
SELECT start, statement_timestamp(), statement_timestamp(), 0 FROM unnest(%s::timestamptz[]) AS start
ORDER BY start ON CONFLICT DO NOTHING
"""


def count_begins() -> None:
    """Call this in the transaction of a count, before anything of it."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTING)


def make_dirty(quarters: Sequence[datetime], charged: Iterable[datetime]) -> None:
    """Make the days dirty that hold these quarters of one hour, and those at which charges changed. In the transaction
    of the count: its locks keep the days from being summed up until the counts are committed."""
    with connection.cursor() as cursor:
        cursor.execute(_DIRTY_DAY, [day_of(quarters[0])])
        cursor.execute(_DIRTY_DAYS, {"times": sorted({*quarters, *charged})})


def request_days(starts: Sequence[datetime]) -> None:
    """Sum up these days from now on, if they are over and have messages.

    Nothing happens while a quarter is being counted, or when days begin at twelve other times already: the next
    question asks again, and until then reads hours.
    """
    over = timezone.now() - DAY
    with connection.cursor() as cursor:
        cursor.execute(_MISSING, {"starts": [start for start in starts if start <= over]})
        missing = [start for (start,) in cursor.fetchall()]
        if not missing:
            return
        cursor.execute(_BEGINNINGS)
        known = {beginning for (beginning,) in cursor.fetchall()}
        room = MAX_BEGINNINGS - len(known)
        new = list(dict.fromkeys(start.time() for start in missing if start.time() not in known))
        known |= set(new[: max(0, room)])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_WANTING)
        if cursor.fetchone()[0]:
            cursor.execute(_WANT, [[start for start in missing if start.time() in known]])


def sum_day() -> bool:
    """Sum up the dirty day that has waited longest, if one is due; whether there was one.

    A day that is not over waits for its end. What counts a quarter of the day just now holds its row's lock.
    """
    now = timezone.now()
    with transaction.atomic():
        due = Day.objects.select_for_update(skip_locked=True).filter(
            dirty_since__isnull=False, due_at__lte=now, start__lte=now - DAY
        )
        day = due.order_by("due_at", "start").first()
        if day is None:
            return False
        began = time.monotonic()
        with connection.cursor() as cursor:
            _sum_up(cursor, day.start)
        took = time.monotonic() - began
        age = (now - day.start).total_seconds()
        day.dirty_since, day.took_ms, day.due_at = None, round(took * 1000), now + timedelta(seconds=gap_s(age, took))
        day.save()
    return True


def _sum_up(cursor: Any, start: datetime) -> None:
    end = start + DAY
    first, last = hour_of(start + HOUR - timedelta(microseconds=1)), hour_of(end)
    pieces = [(15, start, first), (60, first, last), (15, last, end)]
    sum_up(cursor, MINUTES, start, [piece for piece in pieces if piece[1] < piece[2]])
    sum_charges(cursor, start)
