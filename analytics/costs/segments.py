"""The stretches of time that a question about costs reads: each lies in one step, and in one month and price of all
accounts."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from analytics.costs.accounts import month_begins
from analytics.costs.cards import Price
from analytics.models import Day
from analytics.questions import DAY_MINUTES
from analytics.rollups import LONGEST_DAY

_UTC = ZoneInfo("UTC")
_DAY = timedelta(days=1)
_FOREVER = date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class Segment:
    """From `low` until before `high`, in the step with this number (from 1; 0: before the first, for volumes only).

    `since` is when its step, month or price began. `lasting`: other questions read it too, so it is worth a sum.
    """

    step: int
    since: datetime
    low: datetime
    high: datetime
    lasting: bool

    @property
    def minutes(self) -> int:
        """Its length."""
        return int((self.high - self.low).total_seconds() // 60)


def segments(
    starts: Sequence[datetime],
    until: datetime,
    zone: ZoneInfo | None,
    prices: Sequence[Price],
    account_zones: Iterable[str],
) -> list[Segment]:
    """Steps begin at `starts`, the last one ends at `until`; `zone` is the caller's time zone.

    Prices by volume depend on the months before: then segments begin with the first step's month.
    """
    zones = [ZoneInfo(name) for name in sorted({*account_zones})]
    days = {day for price in prices for day in (price.since, price.until) if day and date.min < day < _FOREVER}
    begin = starts[0]
    if any(price.tier_to is not None for price in prices):
        begin = month_begins(begin, [str(one) for one in zones]).astimezone(UTC)
        days |= set(_months(begin, until))
    changes = {_midnight(day, one) for day in days for one in zones}
    cuts = sorted({begin, *starts, *(at for at in changes if begin < at < until)})
    midnights = _midnights(begin, until, zone, cuts)
    lasting = {*changes, *midnights}
    bounds = sorted({*cuts, *(at for at in midnights if begin < at < until)})
    return [
        Segment(
            step=bisect_right(starts, low),
            since=cuts[bisect_right(cuts, low) - 1],
            low=low,
            high=high,
            lasting=low in lasting and high in lasting and high - low <= LONGEST_DAY,
        )
        for low, high in pairwise([*bounds, until])
    ]


def _midnights(begin: datetime, until: datetime, zone: ZoneInfo | None, cuts: Sequence[datetime]) -> list[datetime]:
    """Where days begin and end by the clock of `zone`, if at least as many of its days can be read whole as of UTC's,
    which the cuts may divide."""
    in_utc = _days(begin, until, _UTC)
    local = _days(begin, until, zone or _UTC)
    if local == in_utc:
        return in_utc
    return local if _whole(local, cuts) >= _whole(in_utc, cuts) else in_utc


def _whole(midnights: Sequence[datetime], cuts: Sequence[datetime]) -> int:
    """How many of these days no cut divides and are summed up. One of 23 or 25 hours counts: a question asks for its
    sum, and no other one does."""
    pairs = {*pairwise(midnights)} & {*pairwise(sorted({*midnights, *cuts}))}
    regular = [low for low, high in pairs if high - low == _DAY]
    summed = Day.objects.filter(minutes=DAY_MINUTES, dirty_since=None, start__in=regular).count()
    return len(pairs) - len(regular) + summed


def _days(begin: datetime, until: datetime, zone: ZoneInfo) -> list[datetime]:
    first, last = begin.astimezone(zone).date(), until.astimezone(zone).date()
    return [_midnight(first + _DAY * n, zone) for n in range((last - first).days + 1)]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _months(begin: datetime, until: datetime) -> Iterator[date]:
    """The first days of the months between two times, in any zone."""
    day = begin.date().replace(day=1)
    while day <= until.date() + _DAY:
        yield day
        day = (day + timedelta(days=32)).replace(day=1)
