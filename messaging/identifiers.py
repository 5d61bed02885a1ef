"""Our own ids: UUID version 7 (RFC 9562), which sort by the time they were made."""

import secrets
import threading
import time
import uuid
from datetime import UTC, datetime

# A row's id and created_at are set one after the other, and the clock may be set back in between.
ID_SLACK_MS = 60_000
# RFC 9562, section 5.7: 48 bits of milliseconds, the version, 12 random bits, the variant, 62 random bits.
_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM_BITS = 12 + 62
_LOW_BITS = 62
_BITS_AFTER_TIME = 80

_lock = threading.Lock()
_last = 0


def uuid7() -> uuid.UUID:
    """A new id, higher than each one made before in this process: a bulk keeps its order. Python 3.14 has its own."""
    global _last  # noqa: PLW0603 - the order of ids is this process's own
    milliseconds = time.time_ns() // 1_000_000
    with _lock:
        stamp = milliseconds << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
        if stamp <= _last:  # the same millisecond, or a clock that was set back
            stamp = _last + 1 + secrets.randbits(32)
        _last = stamp
    high, low = stamp >> _LOW_BITS, stamp & (2**_LOW_BITS - 1)
    return uuid.UUID(int=(high >> 12) << _BITS_AFTER_TIME | _VERSION | (high & 0xFFF) << 64 | _VARIANT | low)


def first_uuid7(at: datetime, milliseconds_later: int = 0) -> uuid.UUID:
    """The lowest id that can have been made at a time (or somewhat later): ids from then on are not below it."""
    milliseconds = max(0, int(at.timestamp() * 1000) + milliseconds_later)
    return uuid.UUID(int=milliseconds << _BITS_AFTER_TIME | _VERSION | _VARIANT)


def made_at(made_id: uuid.UUID) -> datetime:
    """The time at which an id was made. Raises ValueError, OverflowError or OSError if its bits are no time."""
    return datetime.fromtimestamp((made_id.int >> _BITS_AFTER_TIME) / 1000, UTC)
