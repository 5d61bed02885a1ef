"""How many new recipients may be opened, and until when others wait."""

from datetime import UTC, datetime, timedelta

import pytest

from messaging.models import Priority
from messaging.portfolios.budget import COUNTED_FOR, HORIZON, WINDOW, Budget, counted_from, done_at

NOW = datetime(2026, 11, 1, 12, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("opened", "high", "normal"), [(0, 250, 225), (224, 26, 1), (225, 25, 0), (249, 1, 0), (250, 0, 0), (300, 0, 0)]
)
def test_a_share_is_kept_for_high_priority(opened: int, high: int, normal: int) -> None:
    budget = Budget(250, opened, 0.1)
    rooms = [budget.remaining(priority) for priority in (Priority.HIGH, Priority.NORMAL, Priority.LOW)]
    assert rooms == [high, normal, normal]


def test_a_recipient_counts_longer_than_metas_day_by_what_a_call_may_be_late() -> None:
    assert counted_from(NOW) <= NOW - WINDOW - timedelta(minutes=5)


def test_recipients_count_for_a_day_and_six_minutes_and_from_the_beginning_of_a_minute() -> None:
    at = datetime(2026, 11, 1, 12, 0, 30, 500, tzinfo=UTC)
    assert counted_from(at) == datetime(2026, 10, 31, 11, 54, tzinfo=UTC)


def test_each_recipient_that_is_taken_counts() -> None:
    budget = Budget(250, 223, 0.1)
    budget.take()
    budget.take()
    assert (budget.opened, budget.remaining(Priority.NORMAL)) == (225, 0)


def leaves(minute: datetime) -> datetime:
    return minute + timedelta(minutes=1) + COUNTED_FOR


FIRST, SECOND = (NOW - hours * HOUR for hours in (20, 10))
# The minute that leaves after sixty days, if there were one.
LATEST = NOW + HORIZON - COUNTED_FOR - timedelta(minutes=1)


@pytest.mark.parametrize(
    ("opened", "counts", "needed", "at"),
    [
        (0, [], 100, NOW),
        (90, [(FIRST, 90)], 10, NOW),
        (100, [(FIRST, 60), (SECOND, 40)], 60, leaves(FIRST)),
        (100, [(SECOND, 40), (FIRST, 60)], 61, leaves(SECOND)),
        (0, [], 101, NOW + COUNTED_FOR),
        (0, [], 300, NOW + 2 * COUNTED_FOR),
        (150, [(FIRST, 60), (SECOND, 90)], 10, leaves(FIRST)),  # the limit was lowered: 50 leave for nothing
        (150, [(FIRST, 60), (SECOND, 90)], 11, leaves(SECOND)),
        (150, [(FIRST, 60), (SECOND, 90)], 100, leaves(SECOND)),
        (250, [(FIRST, 60), (SECOND, 190)], 101, leaves(SECOND) + COUNTED_FOR),  # lowered below the first minute
        (99, [(FIRST, 1), (SECOND, 98)], 2, leaves(FIRST)),  # one is free, the other soon
        (100, [(NOW - 25 * HOUR, 100)], 1, NOW),  # a minute that is over
        (100, [(LATEST, 100)], 1, NOW + HORIZON),
        (100, [(LATEST + timedelta(minutes=1), 100)], 1, None),
        (0, [], 100_000, None),  # in 1,000 days
    ],
    ids=[
        "free", "just free", "first", "second", "a day", "two days", "lowered", "lowered more", "lowered to the end",
        "lowered far", "one free", "over", "after sixty days", "after more", "never",
    ],
)  # fmt: skip
def test_the_end_of_a_campaign_is_known_beforehand(
    opened: int, counts: list[tuple[datetime, int]], needed: int, at: datetime | None
) -> None:
    assert done_at(NOW, 100, opened, counts, needed) == at
