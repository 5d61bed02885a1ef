"""Days, summed up from their hours: 90 days are then a tenth of the rows.

Every day in UTC that has messages or charges is summed up, and the days of other time zones that questions have asked
for (`request_days`): 24 hours from any quarter of an hour. A day is summed up now and then, not with every quarter of
it: that would cost more than all recounts. Until then it is dirty, and questions read its hours.

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
from analytics.rollups.locks import DAYS_OF_TIMES, lock_counting, lock_dimensions, try_adding_days
from analytics.rollups.quarters import DAY, HOUR, day_of, hour_of, recount_delay_s
from analytics.rollups.storage import count_day_views, succeeds, sum_up

MINUTES = 1440
# Times of the day (UTC) at which days begin that are summed up: a company's zones, with summer time.
MAX_BEGINNINGS = 12
# In Troll (Antarctica), whose clock changes by two hours; `locks.DAYS_OF_TIMES` has it too.
LONGEST_DAY = timedelta(hours=26)

# Locks no day that is there: `_DIRTY_DAYS` does, in the order of all. It waits for another count that adds one of these
# days, so that `_DIRTY_DAYS` sees that day.
_ADD_DAYS = """
INSERT INTO analytics_day (start, minutes, dirty_since, due_at, took_ms)
SELECT start, 1440, statement_timestamp(), statement_timestamp(), 0
FROM unnest(%s::timestamptz[]) AS day(start) ORDER BY start
ON CONFLICT (start, minutes) DO NOTHING
"""
_DIRTY_DAYS = f"""
UPDATE analytics_day d SET dirty_since = COALESCE(d.dirty_since, statement_timestamp())
FROM ({DAYS_OF_TIMES}) AS touched WHERE d.start = touched.start AND d.minutes = touched.minutes
"""  # noqa: S608 - a constant of ours
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
        lock_counting(cursor)


def make_dirty(quarters: Sequence[datetime], charged: Iterable[datetime]) -> None:
    """Make the days dirty that hold these quarters of one hour, and those at which charges changed. In the transaction
    of the count: its locks keep the days from being summed up until the counts are committed."""
    times = sorted({*quarters, *charged})
    with connection.cursor() as cursor:
        cursor.execute(_ADD_DAYS, [sorted({day_of(time) for time in times})])
        cursor.execute(_DIRTY_DAYS, {"times": times})


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
        if try_adding_days(cursor):
            cursor.execute(_WANT, _columns(wanted))


def _columns(days: Sequence[tuple[datetime, int]]) -> dict[str, list[Any]]:
    return {"starts": [start for start, _ in days], "minutes": [minutes for _, minutes in days]}


def sum_day() -> bool:
    """Sum up the dirty day that has waited longest, if one is due; whether there was one.

    A day that is not over waits for its end. A count of one of its quarters holds its row's lock. A day that cannot be
    summed up is postponed, so that it keeps no other from its turn.
    """
    now = timezone.now()
    due = Day.objects.filter(
        Q(start__lte=now - DAY) | Q(minutes__lt=MINUTES), dirty_since__isnull=False, due_at__lte=now
    ).order_by("due_at", "start", "minutes")
    # Without one, this waits for no count.
    if not due.exists():
        return False
    with transaction.atomic(), connection.cursor() as cursor:
        lock_dimensions(cursor)
        day = due.select_for_update(skip_locked=True).first()
        if day is None:
            return False
        began = time.monotonic()
        if succeeds(lambda: _sum_up(cursor, day)):
            day.dirty_since = None
        took = time.monotonic() - began
        age = (now - day.start).total_seconds()
        day.took_ms, day.due_at = round(took * 1000), now + timedelta(seconds=recount_delay_s(age, took))
        day.save()
    return True


def _sum_up(cursor: Any, day: Day) -> None:
    if day.minutes == MINUTES:
        end = day.start + DAY
        first, last = hour_of(day.start + HOUR - timedelta(microseconds=1)), hour_of(end)
        pieces = [(15, day.start, first), (60, first, last), (15, last, end)]
        sum_up(cursor, MINUTES, day.start, [piece for piece in pieces if piece[1] < piece[2]])
        count_day_views(cursor, MINUTES, day.start)
    sum_charges(cursor, day.start, day.minutes)
