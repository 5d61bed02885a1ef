"""The stretches of time that a question about costs reads: whole days where these are summed up."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from analytics.costs.segments import segments
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


def test_a_question_without_steps_reads_days_in_utc_where_those_of_its_zone_are_not_summed_up() -> None:
    sum_up(IN_UTC)
    begin, *inner, end = midnights(IN_UTC)
    bounds = [midnights(BERLIN)[0], begin, *inner, midnights(BERLIN)[-1]]
    assert read(bounds[:1]) == [*pairwise(bounds)]
    assert end not in bounds


def test_a_question_by_day_reads_days_of_its_zone_even_if_none_is_summed_up() -> None:
    sum_up(IN_UTC)
    assert len(read(midnights(BERLIN)[:-1])) == len(midnights(BERLIN)) - 1
