"""Periods and their steps, by the clocks of several time zones."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.questions.periods import (
    MAX_STEPS,
    BadPeriod,
    Granularity,
    Period,
    period_of,
    steps,
    zone_of,
)

NOW = datetime(2026, 11, 20, 12, 7, tzinfo=UTC)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe",
         "America/Santiago", "Africa/Cairo", "Pacific/Apia", "Pacific/Chatham")  # fmt: skip


def asked(since: str | None, until: str | None, zone: str = "UTC") -> Period:
    return period_of(since, until, ZoneInfo(zone), NOW)


def lengths(since: str, until: str, zone: str, granularity: Granularity) -> list[float]:
    """The hours of each step."""
    period = asked(since, until, zone)
    ends = [*steps(period, granularity), period.until]
    return [(end - start).total_seconds() / 3600 for start, end in pairwise(ends)]


@pytest.mark.parametrize(
    ("zone", "since", "until", "hours"),
    [
        ("Europe/Berlin", "2026-03-28", "2026-03-31", [24, 23, 24]),
        ("Europe/Berlin", "2026-10-24", "2026-10-27", [24, 25, 24]),
        ("America/New_York", "2026-03-07", "2026-03-10", [24, 23, 24]),
        ("America/New_York", "2026-10-31", "2026-11-03", [24, 25, 24]),
        ("Australia/Lord_Howe", "2026-10-03", "2026-10-06", [24, 23.5, 24]),
        ("Australia/Lord_Howe", "2026-04-04", "2026-04-07", [24, 24.5, 24]),
        ("America/Santiago", "2026-09-05", "2026-09-08", [24, 23, 24]),
        ("Asia/Kolkata", "2026-03-28", "2026-03-31", [24, 24, 24]),
    ],
)
def test_days_have_as_many_hours_as_the_clock_of_the_zone_says(
    zone: str, since: str, until: str, hours: list[float]
) -> None:
    assert lengths(since, until, zone, Granularity.DAY) == hours


@pytest.mark.parametrize(
    ("zone", "day", "following", "count"),
    [
        ("Europe/Berlin", "2026-03-29", "2026-03-30", 23),
        ("Europe/Berlin", "2026-10-25", "2026-10-26", 25),
        ("America/New_York", "2026-11-01", "2026-11-02", 25),
        ("Asia/Kolkata", "2026-10-25", "2026-10-26", 24),
        ("Australia/Lord_Howe", "2026-10-04", "2026-10-05", 24),
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-06", 25),
    ],
)
def test_hours_are_those_of_the_clock(zone: str, day: str, following: str, count: int) -> None:
    assert len(lengths(day, following, zone, Granularity.HOUR)) == count


def test_the_days_of_kolkata_begin_at_half_past_six_in_utc() -> None:
    period = asked("2026-11-01", "2026-11-03", "Asia/Kolkata")
    assert [f"{step:%d %H:%M}" for step in steps(period, Granularity.DAY)] == ["31 18:30", "01 18:30"]


def test_a_day_without_midnight_begins_when_the_clock_jumps() -> None:
    period = asked("2026-09-06", "2026-09-07", "America/Santiago")
    assert f"{period.local(period.since):%H:%M}" == "01:00"


@pytest.mark.parametrize(
    ("granularity", "starts"),
    [
        (Granularity.WEEK, ["2026-10-28", "2026-11-02", "2026-11-09", "2026-11-16"]),
        (Granularity.MONTH, ["2026-10-28", "2026-11-01"]),
    ],
)
def test_the_first_step_of_a_period_may_be_a_part(granularity: Granularity, starts: list[str]) -> None:
    period = asked("2026-10-28", "2026-11-18", "Europe/Berlin")
    assert [f"{period.local(step):%Y-%m-%d}" for step in steps(period, granularity)] == starts


@given(
    st.sampled_from(ZONES),
    st.sampled_from(list(Granularity)),
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)),
    st.integers(1, 40 * 96),
)
def test_steps_fill_their_period_without_gap_or_overlap(
    zone: str, granularity: Granularity, begin: datetime, quarters: int
) -> None:
    since = begin.replace(minute=begin.minute // 15 * 15, second=0, microsecond=0, tzinfo=UTC)
    period = Period(since, since + quarters * timedelta(minutes=15), ZoneInfo(zone))
    try:
        found = steps(period, granularity)
    except BadPeriod:
        assert granularity in {Granularity.QUARTER, Granularity.HOUR}
        return
    assert found[0] == period.since
    assert found == sorted(set(found))
    assert all(step < period.until for step in found)
    for step in found[1:]:
        local = period.local(step)
        assert granularity == Granularity.QUARTER or local.minute == 0 or zone == "Australia/Lord_Howe"


@pytest.mark.parametrize(
    ("since", "until", "zone", "expected"),
    [
        (None, None, "UTC", ("2026-10-22 00:00", "2026-11-21 00:00")),
        (None, None, "Asia/Kolkata", ("2026-10-21 18:30", "2026-11-20 18:30")),
        (None, "2026-11-01", "Europe/Berlin", ("2026-10-01 22:00", "2026-10-31 23:00")),
        ("2026-11-19", None, "America/New_York", ("2026-11-19 05:00", "2026-11-21 05:00")),
        ("2026-11-19T10:15", "2026-11-19T12:00Z", "Europe/Berlin", ("2026-11-19 09:15", "2026-11-19 12:00")),
        ("2026-11-19T10:15+05:30", "2026-11-20", "UTC", ("2026-11-19 04:45", "2026-11-20 00:00")),
    ],
)
def test_a_period_is_between_days_or_times(
    since: str | None, until: str | None, zone: str, expected: tuple[str, str]
) -> None:
    period = asked(since, until, zone)
    assert (f"{period.since:%Y-%m-%d %H:%M}", f"{period.until:%Y-%m-%d %H:%M}") == expected


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [
        ("yesterday", None, "since"),
        (None, "2026-13-01", "until"),
        ("2026-11-19", "2026-11-19", "until"),
        ("2026-11-19T10:07", None, "since"),
        ("2026-11-19T10:00:00.5", None, "since"),
        ("1066-10-14", None, "since"),
        ("2020-01-01", "2026-01-01", "since"),
        ("2026-10-25T02:30", None, "since"),
        ("2026-03-29T02:30", None, "since"),
    ],
)
def test_a_period_that_cannot_be_asked_for_names_the_parameter(since: str, until: str, field: str) -> None:
    with pytest.raises(BadPeriod) as refused:
        asked(since, until, "Europe/Berlin")
    assert refused.value.field == field


@pytest.mark.parametrize("name", ["Mars/Base", "", "CEST", "../etc/passwd", "europe/berlin"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(BadPeriod, match="IANA"):
        zone_of(name)


def test_too_many_steps_are_refused_with_what_to_do() -> None:
    with pytest.raises(BadPeriod, match="coarser") as refused:
        steps(asked("2026-01-01", "2026-03-01"), Granularity.HOUR)
    assert refused.value.field == "granularity"
    assert len(steps(asked("2026-01-01", "2026-02-11"), Granularity.HOUR)) <= MAX_STEPS


def test_the_period_before_has_as_many_days_of_any_length() -> None:
    before = asked("2026-10-25", "2026-10-26", "Europe/Berlin").before
    assert (before.since, before.until) == (
        datetime(2026, 10, 23, 22, tzinfo=UTC),
        datetime(2026, 10, 24, 22, tzinfo=UTC),
    )
