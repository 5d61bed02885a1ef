"""The stretches of time that a question about costs reads: whole days where these are summed up."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from analytics.costs.cards import Price
from analytics.costs.segments import Segment, _months, segments
from analytics.models import Day

pytestmark = pytest.mark.django_db
# Berlin's clock changes on the 25th.
BERLIN, IN_UTC = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")


def midnights(zone: ZoneInfo) -> list[datetime]:
    return [datetime(2026, 10, day, tzinfo=zone).astimezone(UTC) for day in range(20, 31)]


def sum_up(zone: ZoneInfo) -> None:
    for low, high in pairwise(midnights(zone)):
        if high - low == timedelta(days=1):
            Day.objects.create(start=low, minutes=1440, due_at=low)


def read(starts: list[datetime]) -> list[tuple[datetime, datetime]]:
    return [(one.low, one.high) for one in segments(starts, midnights(BERLIN)[-1], BERLIN, [], ["UTC"])]


def test_a_question_by_day_reads_the_days_of_its_zone_before_that_of_25_hours_is_summed_up() -> None:
    sum_up(IN_UTC)
    sum_up(BERLIN)
    assert read(midnights(BERLIN)[:-1]) == [*pairwise(midnights(BERLIN))]


def test_the_day_of_25_hours_is_worth_a_sum() -> None:
    sum_up(IN_UTC)
    sum_up(BERLIN)
    found = segments(midnights(BERLIN)[:-1], midnights(BERLIN)[-1], BERLIN, [], ["UTC"])
    assert [one.minutes for one in found if one.lasting and one.minutes != 1440] == [1500]


def price(since: date, until: date | None, tier_to: int | None = None) -> Price:
    return Price("Germany", "utility", since, until, 0, tier_to, Decimal(1), 1)


def at(day: int, hour: int = 0, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_a_segment_lies_in_one_step_and_one_price_of_all_accounts() -> None:
    prices = [price(date.min, date(2026, 11, 4)), price(date(2026, 11, 4), date(9999, 12, 31))]
    found = segments([at(3, 12), at(4, 12)], at(5, 6), None, prices, ["UTC", "Asia/Kolkata", "UTC"])
    assert found == [
        Segment(1, at(3, 12), at(3, 12), at(3, 18, 30), lasting=False),
        Segment(1, at(3, 18, 30), at(3, 18, 30), at(4), lasting=True),
        Segment(1, at(4), at(4), at(4, 12), lasting=False),
        Segment(2, at(4, 12), at(4, 12), at(5), lasting=False),
        Segment(2, at(4, 12), at(5), at(5, 6), lasting=False),
    ]
    assert [one.minutes for one in found] == [390, 330, 720, 720, 360]


def test_prices_by_volume_are_read_from_the_beginning_of_the_month() -> None:
    found = segments([at(2, 12)], at(2, 18), None, [price(date(2026, 1, 1), None, 5)], ["Asia/Kolkata"])
    begin = at(31, 18, 30, 10)
    assert found == [
        Segment(0, begin, begin, at(1), lasting=True),
        Segment(0, begin, at(1), at(2), lasting=True),
        Segment(0, begin, at(2), at(2, 12), lasting=False),
        Segment(1, at(2, 12), at(2, 12), at(2, 18), lasting=False),
    ]


def test_a_month_that_begins_within_the_period_divides_it_in_every_zone() -> None:
    prices = [price(date(2026, 1, 1), None, 5)]
    found = segments([at(30, 12)], at(1, 12, month=12), None, prices, ["UTC", "America/New_York"])
    shown = [one for one in found if one.step]
    assert [(one.since, one.low, one.high) for one in shown] == [
        (at(30, 12), at(30, 12), at(1, month=12)),
        (at(1, month=12), at(1, month=12), at(1, 5, month=12)),
        (at(1, 5, month=12), at(1, 5, month=12), at(1, 12, month=12)),
    ]


def test_days_of_the_zone_that_asks_are_read_if_no_more_days_in_utc_are_summed_up() -> None:
    first, second, end = (datetime(2026, 11, day, tzinfo=BERLIN).astimezone(UTC) for day in (3, 4, 5))
    assert [one.low for one in segments([first], end, BERLIN, [], [])] == [first, second]
    Day.objects.create(start=at(3), minutes=60, due_at=first)
    Day.objects.create(start=at(3), minutes=1440, dirty_since=first, due_at=first)
    assert [one.low for one in segments([first], end, BERLIN, [], [])] == [first, second]
    Day.objects.update(dirty_since=None)
    assert [one.low for one in segments([first], end, BERLIN, [], [])] == [first, at(3), at(4)]


def test_the_longest_day_on_earth_is_worth_a_sum() -> None:
    troll = ZoneInfo("Antarctica/Troll")
    begin, end = (datetime(2026, 10, day, tzinfo=troll).astimezone(UTC) for day in (25, 26))
    (found,) = segments([begin], end, troll, [], [])
    assert (found.minutes, found.lasting) == (26 * 60, True)


def test_without_accounts_a_segment_is_a_day() -> None:
    assert segments([at(1)], at(2), None, [], []) == [Segment(1, at(1), at(1), at(2), lasting=True)]


@pytest.mark.parametrize(
    ("begin", "until", "months"),
    [
        (at(1), at(29), ["2026-11-01"]),
        (at(1), at(30), ["2026-11-01", "2026-12-01"]),
        (at(30, 23), at(1, month=12), ["2026-11-01", "2026-12-01"]),
        (at(31, month=12), at(31, month=12), ["2026-12-01", "2027-01-01"]),
    ],
)
def test_months_begin_between_two_times_in_any_zone(begin: datetime, until: datetime, months: list[str]) -> None:
    assert [str(day) for day in _months(begin, until)] == months


def test_a_question_without_steps_reads_days_in_utc_where_those_of_its_zone_are_not_summed_up() -> None:
    sum_up(IN_UTC)
    begin, *inner, end = midnights(IN_UTC)
    bounds = [midnights(BERLIN)[0], begin, *inner, midnights(BERLIN)[-1]]
    assert read(bounds[:1]) == [*pairwise(bounds)]
    assert end not in bounds


def test_a_question_by_day_reads_days_of_its_zone_even_if_none_is_summed_up() -> None:
    sum_up(IN_UTC)
    assert len(read(midnights(BERLIN)[:-1])) == len(midnights(BERLIN)) - 1
