"""The spellings of a time that the API takes."""

import re

# Python and Django read more: 20261120, 2026-W47-5, 2026-1-2T3:4, other digits, any character between day and time.
_ISO_TIME = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)?)?", re.ASCII | re.IGNORECASE
)


def iso_time(text: str) -> str | None:
    """A day, or a time with or without an offset, as Python reads it; None for any other spelling."""
    return text.upper() if _ISO_TIME.fullmatch(text) else None
