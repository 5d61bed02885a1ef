"""The rollups to sum for a step: as few as its ends allow. Pure.

A step of 24 hours is a day of its own, whenever it begins: `rollups.days` sums up the days of other zones too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from analytics.rollups import QUARTER

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
DAY_MINUTES = 1440
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RollupRange:
    """Rollups of `minutes` that start from `low` until before `high`, of the step with this number."""

    step: int
    minutes: int
    low: datetime
    high: datetime


# Coarse to fine. A day in UTC lies whole inside a step, or hours are read in its place.
LEVELS = ((DAY, DAY_MINUTES), (HOUR, 60), (QUARTER, 15))


def rollup_ranges(starts: Sequence[datetime], until: datetime) -> list[RollupRange]:
    """The rollups to sum for steps that begin at `starts`; the last one ends at `until`."""
    ends = [*starts[1:], until]
    return [
        found
        for n, (low, high) in enumerate(zip(starts, ends, strict=True))
        for found in (
            [RollupRange(n, DAY_MINUTES, low, high)] if high - low == DAY else _cover(n, low, high, list(LEVELS))
        )
    ]


def days_of(starts: Sequence[datetime], until: datetime) -> list[datetime]:
    """The steps that are days, by their beginning; the last step ends at `until`."""
    return [start for start, following in pairwise([*starts, until]) if following - start == DAY]


def _cover(step: int, low: datetime, high: datetime, levels: Sequence[tuple[timedelta, int]]) -> Iterator[RollupRange]:
    if low >= high:
        return
    (length, minutes), *finer = levels
    if not finer:
        yield RollupRange(step, minutes, low, high)
        return
    first, last = low + (_EPOCH - low) % length, high - (high - _EPOCH) % length
    if first >= last:
        yield from _cover(step, low, high, finer)
        return
    yield from _cover(step, low, first, finer)
    yield RollupRange(step, minutes, first, last)
    yield from _cover(step, last, high, finer)
