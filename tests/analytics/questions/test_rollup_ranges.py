"""Which rollups a step is summed from."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.questions.periods import Granularity, period_of, steps
from analytics.questions.rollup_ranges import rollup_ranges

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def shown(since: str, until: str, zone: str, granularity: Granularity | None = None) -> list[str]:
    period = period_of(since, until, ZoneInfo(zone), NOW)
    starts = steps(period, granularity) if granularity else [period.since]
    return [
        f"{one.step}: {one.minutes} {one.low:%d %H:%M}-{one.high:%d %H:%M}"
        for one in rollup_ranges(starts, period.until)
    ]


@pytest.mark.parametrize(
    ("since", "until", "zone", "granularity", "expected"),
    [
        ("2026-11-01", "2026-11-11", "UTC", None, ["0: 1440 01 00:00-11 00:00"]),
        (
            "2026-11-01", "2026-11-04", "Europe/Berlin", None,
            ["0: 60 31 23:00-01 00:00", "0: 1440 01 00:00-03 00:00", "0: 60 03 00:00-03 23:00"],
        ),
        (
            "2026-11-02", "2026-11-04", "Europe/Berlin", Granularity.DAY,
            ["0: 1440 01 23:00-02 23:00", "1: 1440 02 23:00-03 23:00"],
        ),
        (
            "2026-11-02", "2026-11-03", "Asia/Kolkata", Granularity.DAY,
            ["0: 1440 01 18:30-02 18:30"],
        ),
        (
            "2026-11-02T06:00", "2026-11-02T09:15", "Asia/Kolkata", None,
            ["0: 15 02 00:30-02 01:00", "0: 60 02 01:00-02 03:00", "0: 15 02 03:00-02 03:45"],
        ),
        (
            "2026-10-24", "2026-10-26", "Europe/Berlin", Granularity.DAY,
            ["0: 1440 23 22:00-24 22:00", "1: 60 24 22:00-25 23:00"],
        ),
        (
            "2026-11-02T10:15", "2026-11-02T10:45", "UTC", Granularity.QUARTER,
            ["0: 15 02 10:15-02 10:30", "1: 15 02 10:30-02 10:45"],
        ),
    ],
)  # fmt: skip
def test_a_step_is_summed_from_as_few_rollups_as_its_ends_allow(
    since: str, until: str, zone: str, granularity: Granularity | None, expected: list[str]
) -> None:
    assert shown(since, until, zone, granularity) == expected


@given(st.integers(0, 96 * 30), st.lists(st.integers(1, 96 * 5), min_size=1, max_size=8))
def test_the_pieces_of_a_step_fill_it(begin: int, lengths: list[int]) -> None:
    quarter = timedelta(minutes=15)
    starts, at = [], NOW + begin * quarter
    for length in lengths:
        starts.append(at)
        at += length * quarter
    found = rollup_ranges(starts, at)
    covered = [one.low + n * quarter for one in found for n in range((one.high - one.low) // quarter)]
    assert covered == [starts[0] + n * quarter for n in range(sum(lengths))]
    days = [one for one in found if one.minutes == 1440]
    assert all((one.low - datetime(1970, 1, 1, tzinfo=UTC)) % timedelta(minutes=one.minutes) == timedelta(0)
               for one in found if one not in days)  # fmt: skip
    assert all((one.high - one.low) % timedelta(days=1) == timedelta(0) for one in days)
