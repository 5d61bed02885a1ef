"""Which days are summed up, from which of their hours and quarters, and when again."""

from datetime import datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from analytics.models import Bucket, Day
from analytics.rollups import days
from analytics.rollups import sweep as sweeping
from analytics.rollups.days import make_dirty, request_days, request_sums, sum_day
from tests.analytics.rollups.factories import NOON, outbound, rolled_up, settle

pytestmark = pytest.mark.django_db
MIDNIGHT = NOON - timedelta(hours=12)
INDIAN = MIDNIGHT + timedelta(hours=18, minutes=30)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps follow each other at once."""
    monkeypatch.setattr(sweeping, "SEEN_FOR", timedelta(0))


def test_a_day_that_begins_within_an_hour_is_summed_up_from_its_hours_and_quarters() -> None:
    minutes = (-1, 0, 29, 30, 60, 24 * 60 - 30, 24 * 60 - 1, 24 * 60)
    for n, minute in enumerate(minutes):
        outbound(INDIAN + timedelta(minutes=minute), f"1555123000{n}", campaign=f"c{n}")
    settle()
    request_days([INDIAN])
    Day.objects.exclude(start=INDIAN).delete()
    assert sum_day()
    assert sorted(dims.campaign for _, dims in rolled_up(1440)) == [f"c{n}" for n in range(1, 7)]


def known(*starts: datetime, minutes: int = 1440, **facts: Any) -> None:
    for start in starts:
        given = {"dirty_since": NOON, "due_at": NOON, **facts}
        Day.objects.create(start=start, minutes=minutes, **given)


def test_the_day_that_waits_longest_is_summed_up_first() -> None:
    known(MIDNIGHT, due_at=NOON)
    known(MIDNIGHT - DAY, due_at=NOON)
    known(MIDNIGHT - DAY, minutes=60, due_at=NOON)
    known(MIDNIGHT - 2 * DAY, due_at=NOON + HOUR)
    known(MIDNIGHT - 3 * DAY, dirty_since=None)
    known(MIDNIGHT - 4 * DAY, due_at=timezone.now() + HOUR)
    order = []
    while sum_day():
        clean = {(day.start, day.minutes) for day in Day.objects.filter(dirty_since=None)}
        order += [one for one in clean if one not in order and one[0] != MIDNIGHT - 3 * DAY]
    assert order == [(MIDNIGHT - DAY, 60), (MIDNIGHT - DAY, 1440), (MIDNIGHT, 1440), (MIDNIGHT - 2 * DAY, 1440)]


@pytest.mark.parametrize(
    ("age", "minutes", "is_summed_up"),
    [(DAY + HOUR, 1440, True), (DAY - HOUR, 1440, False), (2 * HOUR, 60, True), (DAY - HOUR, 1500, False)],
)
def test_a_day_is_summed_up_once_it_is_over(age: timedelta, minutes: int, is_summed_up: bool) -> None:
    known(timezone.now() - age, minutes=minutes)
    assert sum_day() is is_summed_up


def test_a_summed_up_day_has_its_duration_and_the_time_of_its_next_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    times = (1000.0 + 0.002 * n for n in count())
    monkeypatch.setattr(days, "time", SimpleNamespace(monotonic=lambda: next(times)))
    known(MIDNIGHT)
    before = timezone.now()
    sum_day()
    day = Day.objects.get()
    # 40,000 times what it took.
    wait = timedelta(seconds=80)
    assert (day.took_ms, day.dirty_since) == (2, None)
    assert before + wait <= day.due_at <= timezone.now() + wait


def test_the_next_sum_of_a_young_day_waits_no_longer_than_the_day_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    times = (1000.0 * n for n in count())
    monkeypatch.setattr(days, "time", SimpleNamespace(monotonic=lambda: next(times)))
    start = timezone.now() - 2 * HOUR
    known(start, minutes=60)
    before = timezone.now()
    sum_day()
    assert before + 2 * HOUR <= Day.objects.get().due_at <= timezone.now() + 2 * HOUR + timedelta(minutes=1)


def stored(*starts: datetime) -> None:
    Bucket.objects.bulk_create(Bucket(start=start, due_at=start) for start in starts)


def wanted() -> list[tuple[datetime, int]]:
    return list(Day.objects.order_by("start", "minutes").values_list("start", "minutes"))


def test_a_sum_is_requested_for_a_day_that_is_over_and_has_messages() -> None:
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    stored(MIDNIGHT, now - 2 * HOUR)
    request_sums([(MIDNIGHT, 1440), (MIDNIGHT - DAY, 1440), (MIDNIGHT, 60), (now - 2 * HOUR, 60), (now - HOUR, 1440)])
    assert wanted() == [(MIDNIGHT, 60), (MIDNIGHT, 1440), (now - 2 * HOUR, 60)]
    request_sums([(MIDNIGHT, 1440)])
    assert len(wanted()) == 3


@pytest.mark.parametrize(("most", "hours"), [(1, [0]), (2, [0]), (3, [0, 5]), (4, [0, 5, 3]), (9, [0, 5, 3])], ids=str)
def test_no_sum_is_requested_for_days_that_begin_at_too_many_times(
    most: int, hours: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(days, "MAX_BEGINNINGS", most)
    known(MIDNIGHT - 9 * DAY, MIDNIGHT - 9 * DAY + HOUR)
    known(MIDNIGHT - 9 * DAY + 2 * HOUR, minutes=60)
    # The earliest day has the first turn: those of 5 o'clock begin a day before those of 3.
    asked = [MIDNIGHT, MIDNIGHT - 2 * DAY + 5 * HOUR, MIDNIGHT - DAY + 3 * HOUR]
    stored(*asked)
    request_sums([*((start, 1440) for start in asked), (MIDNIGHT, 60)])
    found = [(start, minutes) for start, minutes in wanted() if start > MIDNIGHT - 8 * DAY]
    assert found == sorted([*((start, 1440) for start in asked if start.hour in hours), (MIDNIGHT, 60)])


def test_the_days_that_hold_a_quarter_become_dirty_and_no_others() -> None:
    known(MIDNIGHT, MIDNIGHT - DAY, INDIAN - DAY, INDIAN, dirty_since=None)
    known(NOON, minutes=60, dirty_since=None)
    make_dirty([NOON], [MIDNIGHT + DAY])
    found = Day.objects.filter(dirty_since__isnull=False).order_by("start", "minutes")
    assert list(found.values_list("start", "minutes")) == [
        (INDIAN - DAY, 1440), (MIDNIGHT, 1440), (NOON, 60), (INDIAN, 1440), (MIDNIGHT + DAY, 1440),
    ]  # fmt: skip
