"""Type-checked access to fields of webhook JSON: a value of another type is None."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from messaging.whatsapp.recipients import is_bsuid, is_phone

MAX_WAMID = 512
# Numbers of WABAs and phones have about 16 digits, type names about 20 characters, group ids about 70.
MAX_ID = 128
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Above this a timestamp must be in milliseconds: as seconds it would lie in the year 5138.
_MILLISECONDS_FROM = 10**11
_MAX_DIGITS = 16


def node(value: object, name: str) -> dict[str, Any]:
    """The object under this name, or an empty one."""
    inner = value.get(name) if isinstance(value, Mapping) else None
    return inner if isinstance(inner, dict) else {}


def text(value: Mapping[str, Any], name: str, longest: int = MAX_ID) -> str | None:
    """A string of 1 to `longest` characters; an integer counts as its digits, since Meta mixes both."""
    found = value.get(name)
    if isinstance(found, int) and not isinstance(found, bool) and abs(found) < 10**_MAX_DIGITS:
        found = str(found)
    return found if isinstance(found, str) and 0 < len(found) <= longest else None


def truncated(value: Mapping[str, Any], name: str, longest: int) -> str | None:
    """A string, cut to `longest` characters; None where it is empty."""
    found = value.get(name)
    return found[:longest] or None if isinstance(found, str) else None


def wamid(value: Mapping[str, Any], name: str) -> str | None:
    """A message id: a string of 1 to 512 characters."""
    found = value.get(name)
    return found if isinstance(found, str) and 0 < len(found) <= MAX_WAMID else None


def phone(value: Mapping[str, Any], name: str) -> str | None:
    """A phone number as digits."""
    found = (text(value, name) or "").removeprefix("+")
    return found if is_phone(found) else None


def user_id(value: Mapping[str, Any], *names: str) -> str | None:
    """The first BSUID under these names; Meta sometimes puts one in a phone number's field."""
    candidates = (text(value, name, longest=256) for name in names)
    return next((found for found in candidates if found and is_bsuid(found)), None)


def timestamp(value: Mapping[str, Any], name: str) -> datetime | None:
    """A time in Unix seconds or, as happens occasionally, milliseconds; a string or an integer."""
    found = text(value, name, longest=_MAX_DIGITS)
    if found is None or not (found.isascii() and found.isdigit()):
        return None
    number = int(found)
    unit = timedelta(milliseconds=1) if number >= _MILLISECONDS_FROM else timedelta(seconds=1)
    try:
        return _EPOCH + number * unit
    except OverflowError:
        return None
