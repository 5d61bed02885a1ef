"""Our own ids: UUID version 7 (RFC 9562), which sort by the time they were made."""

import os
import time
import uuid

# RFC 9562, section 5.7: 48 bits of milliseconds, the version, 12 random bits, the variant, 62 random bits.
_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62


def uuid7() -> uuid.UUID:
    """A new id. Python has one of its own from 3.14 on."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    return uuid.UUID(int=milliseconds << 80 | _VERSION | (random >> 68) << 64 | _VARIANT | random & (2**62 - 1))
