"""Quarters of an hour in UTC: every time zone's hours and days are whole numbers of them. Pure."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from messaging.identifiers import first_uuid7

QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# A bucket is not counted again before this long after the last time …
MIN_DELAY_S = 30.0
MAX_DELAY_S = 6 * 3600.0
# … nor before this many times what counting it took: 200 dirty quarters at once then use half a percent of a core.
DELAY_PER_COUNT = 40_000
# Those of the last hour are four at most, and people look at them: they use 0.4 % of a core.
DELAY_PER_RECENT_COUNT = 1_000

# In SQL, the quarter in which a message's id was made: its first 48 bits are milliseconds.
QUARTER_OF_ID = "to_timestamp(('x' || left(translate(id::text, '-', ''), 12))::bit(48)::bigint / 900000 * 900)"


def quarter_of(at: datetime) -> datetime:
    """The beginning of the quarter of an hour that a time lies in."""
    return at - (at - _EPOCH) % QUARTER


def hour_of(at: datetime) -> datetime:
    """The beginning of the hour in UTC."""
    return at - (at - _EPOCH) % HOUR


def day_of(at: datetime) -> datetime:
    """The beginning of the day in UTC."""
    return at - (at - _EPOCH) % DAY


def ids_of(start: datetime, length: timedelta = QUARTER) -> tuple[UUID, UUID]:
    """The lowest id that a message of this time can have, and the lowest that a later one can."""
    return first_uuid7(start), first_uuid7(start + length)


def recount_delay_s(age_s: float, took_s: float) -> float:
    """Seconds until a bucket may be counted again: `age_s` since it began, `took_s` that counting it took.

    A busy bucket's age doubles between two counts, so that a week of late statuses costs about ten; a small one of the
    last hour follows within a minute or two.
    """
    times = DELAY_PER_RECENT_COUNT if age_s < HOUR.total_seconds() else DELAY_PER_COUNT
    return min(max(min(age_s, times * took_s), MIN_DELAY_S), MAX_DELAY_S)
