"""Periods in a time zone, and their steps: an hour, a day, a week or a month by the clock of that zone. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from analytics.rollups import QUARTER
from waproject.web.api.iso_times import iso_time

HOUR = timedelta(hours=1)
# Before that, clocks may differ from UTC by odd minutes; there was no WhatsApp to count either.
FIRST_YEAR, LAST_YEAR = 2010, 2100
MAX_DAYS = 800
MAX_STEPS = 1000
DEFAULT_DAYS = 30


class Granularity(StrEnum):
    """The length of a step."""

    QUARTER = "15m"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class BadPeriod(ValueError):
    """The period is invalid; `field` names the parameter at fault."""

    def __init__(self, field: str, text: str) -> None:
        self.field = field
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` until before `until`, both in UTC and at a quarter of an hour; days are those of `zone`."""

    since: datetime
    until: datetime
    zone: ZoneInfo

    def local(self, at: datetime) -> datetime:
        """A time by the zone's clock."""
        return at.astimezone(self.zone)

    @property
    def before(self) -> "Period":
        """The period of the same length that ends where this one begins: as many days, whatever their hours."""
        since, until = self.local(self.since), self.local(self.until)
        return Period(_utc(since - (until.replace(tzinfo=None) - since.replace(tzinfo=None))), self.since, self.zone)


@cache
def zone_names() -> frozenset[str]:
    """All names of IANA zones."""
    return frozenset(available_timezones())


def zone_of(name: str) -> ZoneInfo:
    """The zone of that name. Raises BadPeriod."""
    if name not in zone_names():
        raise BadPeriod("timezone", "Not a time zone. Give an IANA name such as Europe/Berlin or Asia/Kolkata.")
    return ZoneInfo(name)


def period_of(since: str | None, until: str | None, zone: ZoneInfo, now: datetime) -> Period:
    """The period between two texts: a day (its beginning) or a time, in the zone unless it has an offset.

    Without `until` it ends with the day that is today, without `since` it has 30 days. Raises BadPeriod.
    """
    end = _moment("until", until, zone) if until else _midnight(now.astimezone(zone).date() + timedelta(1), zone)
    if since:
        begin = _moment("since", since, zone)
    else:
        begin = _midnight((end - timedelta(microseconds=1)).astimezone(zone).date() - timedelta(DEFAULT_DAYS - 1), zone)
    if begin >= end:
        raise BadPeriod("until", "A period ends after it begins.")
    if end - begin > timedelta(MAX_DAYS):
        raise BadPeriod("since", f"A period has at most {MAX_DAYS} days.")
    return Period(begin, end, zone)


def steps(period: Period, granularity: Granularity) -> list[datetime]:
    """The beginnings of a period's steps in UTC; the first and last may be shorter. Raises BadPeriod for too many."""
    found: list[datetime] = []
    for start in _starts(period, granularity):
        if start >= period.until:
            break
        found.append(max(start, period.since))
        if len(found) > MAX_STEPS:
            raise BadPeriod("granularity", f"Over {MAX_STEPS} steps: choose a coarser granularity or a shorter period.")
    return found


def _starts(period: Period, granularity: Granularity) -> Iterator[datetime]:
    """Without end; the first is the step that holds the beginning."""
    local = period.local(period.since)
    if granularity == Granularity.QUARTER:
        yield from _every(period.since)
    elif granularity == Granularity.HOUR:
        yield from _hours(period.since - timedelta(minutes=local.minute), period.zone)
    else:
        day = local.date()
        if granularity == Granularity.WEEK:
            day -= timedelta(day.weekday())
        elif granularity == Granularity.MONTH:
            day = day.replace(day=1)
        while True:
            yield _midnight(day, period.zone)
            day = _next_day(day, granularity)


def _next_day(day: date, granularity: Granularity) -> date:
    if granularity == Granularity.MONTH:
        return (day + timedelta(31)).replace(day=1)
    return day + timedelta(7 if granularity == Granularity.WEEK else 1)


def _every(start: datetime) -> Iterator[datetime]:
    while True:
        yield start
        start += QUARTER


def _hours(start: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Full hours by the zone's clock. Where it jumps by half an hour (Lord Howe), one step is shorter."""
    while True:
        yield start
        following = start + HOUR
        full = following - timedelta(minutes=following.astimezone(zone).minute)
        start = full if full > start and full.astimezone(zone).minute == 0 else following


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day. Where midnight is skipped (Santiago, Cairo), that is when the clock jumps."""
    return _utc(datetime.combine(day, time(), zone))


def _moment(field: str, text: str, zone: ZoneInfo) -> datetime:
    try:
        given = datetime.fromisoformat(iso_time(text) or "")
    except ValueError:
        raise BadPeriod(
            field, "Neither a day such as 2026-11-20 nor a time such as 2026-11-20T12:00 or 2026-11-20T12:00:00Z."
        ) from None
    if not FIRST_YEAR <= given.year <= LAST_YEAR:
        raise BadPeriod(field, f"A year from {FIRST_YEAR} to {LAST_YEAR}.")
    if given.tzinfo is None:
        first, second = (given.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
        if first != second and given.time() != time():
            raise BadPeriod(field, f"This time does not exist, or exists twice, in {zone}: give it an offset.")
        given = given.replace(tzinfo=zone)
    moment = _utc(given)
    if moment.minute % 15 or moment.second or moment.microsecond:
        raise BadPeriod(field, "Counts are by quarter of an hour: give a full quarter.")
    return moment


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)
