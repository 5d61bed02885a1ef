"""Days, summed up from their hours: 90 days are then a tenth of the rows.

Every day in UTC that has messages is summed up, and the days of other time zones that questions have asked for
(`request_days`): 24 hours from any quarter of an hour. A day is summed up now and then, not with every quarter of it:
that would cost more than all recounts. Until then it is dirty, and questions read its hours.

Where an account's month or price begins within a day, the parts of the day have sums of charges. So do days of 23
and 25 hours.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from analytics.models import Day
from analytics.rollups.charges import sum_charges
from analytics.rollups.quarters import DAY, HOUR, day_of, hour_of, recount_delay_s
from analytics.rollups.storage import count_day_views, sum_up

MINUTES = 1440
# Times of the day (UTC) at which days begin that are summed up: a company's zones, with summer time.
MAX_BEGINNINGS = 12
# In Troll (Antarctica), whose clock changes by two hours; `_DIRTY_DAYS` has it too.
LONGEST_DAY = timedelta(hours=26)

# Held by counts, shared, until their end, and by what wants new days: a day that a count cannot see would not be made
# dirty by it.
_COUNTING = "SELECT pg_advisory_xact_lock_shared(hashtext('analytics days'))"
_WANTING = "SELECT pg_try_advisory_xact_lock(hashtext('analytics days'))"
_DIRTY_DAY = """
INSERT INTO analytics_day (start, minutes, dirty_since, due_at, took_ms)
VALUES (%s, 1440, statement_timestamp(), statement_timestamp(), 0)
ON CONFLICT (start, minutes) DO UPDATE
  SET dirty_since = COALESCE(analytics_day.dirty_since, EXCLUDED.dirty_since)
"""
# In order, so that two counts cannot deadlock.
_DIRTY_DAYS = """
UPDATE analytics_day d SET dirty_since = COALESCE(d.dirty_since, statement_timestamp())
FROM (
  SELECT start, minutes FROM analytics_day c
  WHERE EXISTS (SELECT FROM unnest(%(times)s::timestamptz[]) AS t(at)
    WHERE c.start <= t.at AND c.start > t.at - interval '26 hours' AND c.start + c.minutes * interval '1 minute' > t.at)
  ORDER BY start, minutes FOR UPDATE
) AS touched WHERE d.start = touched.start AND d.minutes = touched.minutes
"""
_MISSING = """
SELECT wanted.start, wanted.minutes FROM unnest(%(starts)s::timestamptz[], %(minutes)s::int[]) AS wanted(start, minutes)
WHERE NOT EXISTS (SELECT FROM analytics_day d WHERE d.start = wanted.start AND d.minutes = wanted.minutes)
  AND EXISTS (SELECT FROM analytics_bucket b WHERE b.start >= wanted.start
    AND b.start < wanted.start + wanted.minutes * interval '1 minute')
ORDER BY 1, 2
"""
_BEGINNINGS = "SELECT DISTINCT (start AT TIME ZONE 'UTC')::time FROM analytics_day WHERE minutes = 1440"
_WANT = """
INSERT INTO analytics_day (start, minutes, dirty_since, due_at, took_ms)
SELECT start, minutes, statement_timestamp(), statement_timestamp(), 0
FROM unnest(%(starts)s::timestamptz[], %(minutes)s::int[]) AS wanted(start, minutes)
ORDER BY start, minutes ON CONFLICT DO NOTHING
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
    """Sum up the 24 hours from each of these times from now on; see `request_sums`."""
    request_sums([(start, MINUTES) for start in starts])


def request_sums(days: Sequence[tuple[datetime, int]]) -> None:
    """Sum up these days from now on, given as (start, minutes), if they are over and have messages.

    Nothing happens while a quarter is being counted, or to days that begin at a thirteenth time: the next question asks
    again, and until then reads hours.
    """
    now = timezone.now()
    with connection.cursor() as cursor:
        over = [(start, minutes) for start, minutes in days if start + timedelta(minutes=minutes) <= now]
        cursor.execute(_MISSING, _columns(over))
        missing = cursor.fetchall()
        if not missing:
            return
        cursor.execute(_BEGINNINGS)
        known = {beginning for (beginning,) in cursor.fetchall()}
        room = MAX_BEGINNINGS - len(known)
        new = [start.time() for start, minutes in missing if minutes == MINUTES and start.time() not in known]
        known |= set(list(dict.fromkeys(new))[: max(0, room)])
    wanted = [(start, minutes) for start, minutes in missing if minutes != MINUTES or start.time() in known]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_WANTING)
        if cursor.fetchone()[0]:
            cursor.execute(_WANT, _columns(wanted))


def _columns(days: Sequence[tuple[datetime, int]]) -> dict[str, list[Any]]:
    return {"starts": [start for start, _ in days], "minutes": [minutes for _, minutes in days]}


def sum_day() -> bool:
    """Sum up the dirty day that has waited longest, if one is due; whether there was one.

    A day that is not over waits for its end. What counts a quarter of the day just now holds its row's lock.
    """
    now = timezone.now()
    with transaction.atomic():
        due = Day.objects.select_for_update(skip_locked=True).filter(
            Q(start__lte=now - DAY) | Q(minutes__lt=MINUTES), dirty_since__isnull=False, due_at__lte=now
        )
        day = due.order_by("due_at", "start", "minutes").first()
        if day is None:
            return False
        began = time.monotonic()
        with connection.cursor() as cursor:
            if day.minutes == MINUTES:
                _sum_up(cursor, day.start)
            sum_charges(cursor, day.start, day.minutes)
        took = time.monotonic() - began
        age = (now - day.start).total_seconds()
        day.dirty_since, day.took_ms, day.due_at = (
            None,
            round(took * 1000),
            now + timedelta(seconds=recount_delay_s(age, took)),
        )
        day.save()
    return True


def _sum_up(cursor: Any, start: datetime) -> None:
    end = start + DAY
    first, last = hour_of(start + HOUR - timedelta(microseconds=1)), hour_of(end)
    pieces = [(15, start, first), (60, first, last), (15, last, end)]
    sum_up(cursor, MINUTES, start, [piece for piece in pieces if piece[1] < piece[2]])
    count_day_views(cursor, MINUTES, start)
