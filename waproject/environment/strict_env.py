"""The reader of environment variables: errors name the variable and its form, not its value, which may be a secret.

An empty variable is one that is not set, since container definitions often pass empty ones.
"""

import os
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

from waproject.environment.formats import LARGEST, SECRET, Format

T = TypeVar("T")
YES = frozenset({"true", "on", "yes", "y", "1", "ok"})
NO = frozenset({"false", "off", "no", "n", "0"})
# A hundred years: the time so many days ago must be one that Python and PostgreSQL have.
MOST_DAYS = 36_500


def required(name: str, value: str) -> str:
    """The value. Raises ImproperlyConfigured if it is empty."""
    if not value:
        raise ImproperlyConfigured(f"{name} is not set.")
    return value


def text(name: str, default: str | None = "", like: Format | None = None) -> str:
    """A variable of a form; with the default None it has to be set.

    Raises ImproperlyConfigured, as all functions here.
    """
    found = os.environ.get(name, "").strip()
    if not found:
        return required(name, "") if default is None else default
    if like and not like.fits(found):
        raise ImproperlyConfigured(f"{name} is not {like.description}.")
    return found


def secret(name: str, default: str | None = "") -> str:
    """A secret; a space at either end is an error, and not part of it."""
    found = os.environ.get(name, "")
    if not found:
        return text(name, default)
    if not SECRET.fits(found):
        raise ImproperlyConfigured(f"{name} is not {SECRET.description}.")
    return found


def parsed(name: str, parse: Callable[[str], T], default: T, form: str) -> T:
    """What `parse` makes of the variable; `form` completes "… is not" if it raises ValueError."""
    found = text(name)
    if not found:
        return default
    try:
        return parse(found)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is not {form}.") from None


def whole(name: str, default: int, least: int = 0, most: int = LARGEST) -> int:
    """A whole number from `least` to `most`."""
    return int(_number(name, int, default, least, most))


def days(name: str, default: int) -> int:
    """A number of days; 0 for what has no end."""
    return whole(name, default, 0, MOST_DAYS)


def number(name: str, default: float, least: float = 0, most: float = LARGEST) -> float:
    """A number from `least` to `most`."""
    return _number(name, float, default, least, most)


def _number(name: str, kind: Callable[[str], float], default: float, least: float, most: float) -> float:
    def bounded(found: str) -> float:
        value = kind(found)
        if not least <= value <= most:
            raise ValueError("out of range")
        return value

    noun = "a whole number" if kind is int else "a number"
    return parsed(name, bounded, default, f"{noun} from {least} to {most}")


def switch(name: str, default: bool) -> bool:
    """`true` or `false`, or another word for them."""

    def meant(found: str) -> bool:
        if (word := found.lower()) not in YES | NO:
            raise ValueError("neither")
        return word in YES

    return parsed(name, meant, default, "true or false")


def choice(name: str, default: str, among: Collection[str]) -> str:
    """One of a few words."""
    return parsed(name, lambda found: _one_of(found, among), default, _either(among))


def comma_separated(
    name: str, default: Sequence[str], like: Format | None = None, among: Collection[str] = ()
) -> list[str]:
    """A comma-separated list; a variable that is set and empty is an empty one."""
    if name not in os.environ:
        return list(default)
    found = [entry.strip() for entry in os.environ[name].split(",") if entry.strip()]
    if like and not all(like.fits(entry) for entry in found):
        raise ImproperlyConfigured(f"{name} is not {like.description}.")
    if among and not set(found) <= set(among):
        raise ImproperlyConfigured(f"{name} is not a list of {_either(among)}.")
    return found


def _one_of(found: str, among: Collection[str]) -> str:
    if found not in among:
        raise ValueError("none of them")
    return found


def _either(among: Collection[str]) -> str:
    *first, last = among
    return f"{', '.join(first)} or {last}"
