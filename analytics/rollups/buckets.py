"""Dirty quarters of an hour: marked, claimed by one worker each, counted again."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from analytics.models import Bucket
from analytics.rollups.charges import write_charges
from analytics.rollups.days import count_begins, make_dirty, sum_day
from analytics.rollups.locks import buckets_where
from analytics.rollups.quarters import HOUR, QUARTER_OF_ID, hour_of, ids_of, recount_delay_s
from analytics.rollups.storage import hour_locked, succeeds, write_quarter
from analytics.rollups.sweep import sweep

# A task's share; beat sends the next one soon after.
BUDGET_S = 10.0
DAY = timedelta(days=1)
# Quarters that began within this time are counted before older ones: a period that is counted again, or demonstration
# data, makes thousands of old ones due at once.
RECENT = timedelta(hours=1)

_MARK_PERIOD = f"""
INSERT INTO analytics_bucket (start, dirty_since, due_at, took_ms, messages)
SELECT DISTINCT
  {QUARTER_OF_ID},
  statement_timestamp(), statement_timestamp(), 0, 0
FROM messaging_message WHERE id >= %s AND id < %s
ORDER BY 1
ON CONFLICT (start) DO UPDATE
  SET dirty_since = COALESCE(analytics_bucket.dirty_since, EXCLUDED.dirty_since), due_at = EXCLUDED.due_at
"""  # noqa: S608 - a constant of ours
_MAKE_DUE = f"""
UPDATE analytics_bucket d SET due_at = d.dirty_since
FROM ({buckets_where("b.dirty_since IS NOT NULL AND b.start >= %s AND b.start < %s")}) AS chosen
WHERE d.start = chosen.start
"""  # noqa: S608 - a constant of ours


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` until before `until`."""

    since: datetime
    until: datetime


def roll_up(budget_s: float = BUDGET_S) -> int:
    """Read the trail, count what is due, sum up days; returns how many quarters were counted. Ends after `budget_s`."""
    deadline = time.monotonic() + budget_s
    # A long trail, as after an update, must not keep what is dirty from being counted.
    half = deadline - budget_s / 2
    while sweep().more and time.monotonic() < half:
        pass
    counted = 0
    while time.monotonic() < deadline and (quarters := recount()):
        counted += quarters
    while time.monotonic() < deadline and sum_day():
        pass
    return counted


def recount(period: Period | None = None, *, shrink: bool = False, kept: set[datetime] | None = None) -> int:
    """Count a dirty quarter, if one is due (of this period), with those of its hour that are due too; how many these
    were: a recent one, else the one that has waited longest. Their hour is summed up once. One that cannot be counted
    is postponed, so that it keeps no other from its turn.

    A quarter whose messages or entries of the trail are fewer than they were keeps its counts, since their rows are
    gone, and is added to `kept`; `shrink` counts what is left. Quarters that another worker is counting are skipped.
    """
    with transaction.atomic():
        now = timezone.now()
        due = Bucket.objects.select_for_update(skip_locked=True).filter(dirty_since__isnull=False, due_at__lte=now)
        if period is not None:
            due = due.filter(start__gte=period.since, start__lt=period.until)
        waiting_longest = due.order_by("due_at", "start")
        first = waiting_longest.filter(start__gte=now - RECENT).first() or waiting_longest.first()
        if first is None:
            return 0
        hour = hour_of(first.start)
        others = due.filter(start__gte=hour, start__lt=hour + HOUR).exclude(pk=first.pk).order_by("start")
        buckets = [first, *others]
        count_begins()
        counted = _count_or_postpone(hour, buckets, shrink=shrink)
        if kept is not None:
            kept |= {one.start for one in counted if one.is_kept}
        make_dirty([one.start for one in counted], [at for one in counted for at in one.charged])
    return len(buckets)


@dataclass(frozen=True, slots=True)
class _Counted:
    """A quarter that was counted, and the quarters of an hour whose charges changed. `is_kept`: its counts stayed."""

    start: datetime
    charged: list[datetime]
    is_kept: bool


def _count_or_postpone(hour: datetime, buckets: Sequence[Bucket], *, shrink: bool) -> list[_Counted]:
    """Count these together. If that fails, each alone; one that fails alone is postponed as if it were counted."""
    began = time.monotonic()
    counted: list[_Counted] = []
    if succeeds(lambda: counted.extend(_count_together(hour, buckets, shrink=shrink))):
        return counted
    if len(buckets) > 1:
        for bucket in buckets:
            bucket.refresh_from_db()
        return [one for bucket in buckets for one in _count_or_postpone(hour, [bucket], shrink=shrink)]
    (bucket,) = buckets
    now = timezone.now()
    # `counted_at` too: quarters that have not been counted for some minutes are made due while there are budgets.
    Bucket.objects.filter(pk=bucket.pk).update(counted_at=now, due_at=_next(bucket, now, began))
    return []


def _count_together(hour: datetime, buckets: Sequence[Bucket], *, shrink: bool) -> list[_Counted]:
    with hour_locked(hour):
        return [_count(bucket, shrink=shrink) for bucket in buckets]


def _next(bucket: Bucket, now: datetime, began: float) -> datetime:
    """When a bucket whose count `began` may be counted again."""
    return now + timedelta(seconds=recount_delay_s((now - bucket.start).total_seconds(), time.monotonic() - began))


def _count(bucket: Bucket, *, shrink: bool) -> _Counted:
    began = time.monotonic()
    charged: list[datetime] = []
    messages = write_quarter(bucket.start, 0 if shrink else bucket.messages)
    if messages is not None:
        charged = write_charges(bucket.start)
        bucket.messages = messages
    bucket.counted_at = timezone.now()
    bucket.due_at = _next(bucket, bucket.counted_at, began)
    bucket.took_ms = round((time.monotonic() - began) * 1000)
    bucket.dirty_since = None
    bucket.save()
    return _Counted(bucket.start, charged, is_kept=messages is None)


def mark_period(period: Period) -> int:
    """Make every quarter of a period dirty that has messages, and due at once; returns how many are dirty there."""
    begin = period.since
    while begin < period.until:
        end = min(begin + DAY, period.until)
        with connection.cursor() as cursor:
            cursor.execute(_MARK_PERIOD, [*ids_of(begin, end - begin)])
        begin = end
    return waiting(period)


def waiting(period: Period) -> int:
    """The number of dirty quarters in a period."""
    return Bucket.objects.filter(dirty_since__isnull=False, start__gte=period.since, start__lt=period.until).count()


def make_due(period: Period) -> int:
    """Make the dirty quarters of a period due at once; returns their number."""
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_DUE, [period.since, period.until])
        return int(cursor.rowcount)
