"""The Retry-After header of an HTTP answer, from Meta and from subscribers alike."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Three centuries in seconds; a larger number is an error, not a wait.
MAX_DIGITS = 9


def seconds_of(header: str, now: float) -> float | None:
    """Seconds from `now` (Unix time) of a number or an HTTP date, 0 for the past; None for anything else."""
    header = header.strip()
    if header.isascii() and header.isdigit() and len(header) <= MAX_DIGITS:
        return float(header)
    try:
        moment: datetime = parsedate_to_datetime(header)
        # An HTTP date is in GMT, even if it does not say so.
        return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
