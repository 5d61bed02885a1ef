"""Fault injection: the calls that a fault hits, its trigger, and its hits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..checks.send import OutboundMessage
from ..settings import InputError
from ..users.user import is_user_id, phone_digits
from .outcome import Outcome, outcome_from

MAX_COUNT = 1_000_000
_TARGETS = ("phone_number_id", "to", "template")
_KEYS = {*_TARGETS, "trigger", "outcome"}


class Rhythm(StrEnum):
    """Which of the matching calls are hit."""

    ALWAYS = "always"
    NEXT = "next"
    EVERY = "every"


@dataclass(frozen=True, slots=True)
class Trigger:
    """``always``, the ``next`` n calls, or ``every`` nth."""

    rhythm: Rhythm = Rhythm.ALWAYS
    n: int = 1

    def fires(self, nth: int) -> bool:
        """Whether the nth matching call is hit, counted from 1."""
        match self.rhythm:
            case Rhythm.ALWAYS:
                return True
            case Rhythm.NEXT:
                return nth <= self.n
            case Rhythm.EVERY:
                return nth % self.n == 0


@dataclass(frozen=True, slots=True)
class Target:
    """The calls that a fault hits; None: any. ``to`` is digits or a user id."""

    phone_number_id: str | None = None
    to: str | None = None
    template: str | None = None

    def matches(self, message: OutboundMessage, phone_number_id: str) -> bool:
        """Whether the call has all values that the target names."""
        return (
            self.phone_number_id in {None, phone_number_id}
            and self.to in {None, message.recipient.address}
            and self.template in {None, _template(message)}
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """``given`` is the JSON that it was made of."""

    target: Target
    trigger: Trigger
    outcome: Outcome
    given: dict[str, Any]


@dataclass(slots=True)
class _Count:
    seen: int = 0
    hits: int = 0


class Faults:
    """Faults in the order in which they were added, numbered from 1."""

    def __init__(self) -> None:
        self._last = 0
        self._faults: dict[int, tuple[Fault, _Count]] = {}

    def add(self, fault: Fault) -> int:
        """Add a fault; returns its number."""
        self._last += 1
        self._faults[self._last] = (fault, _Count())
        return self._last

    def remove(self, number: int) -> bool:
        """Remove a fault; returns whether it existed."""
        return self._faults.pop(number, None) is not None

    def clear(self) -> None:
        """Remove all; the next one has the number 1."""
        self._faults.clear()
        self._last = 0

    def outcome_of(self, message: OutboundMessage, phone_number_id: str) -> Outcome | None:
        """The outcome of the first fault that hits. Later faults do not count this call."""
        for fault, count in self._faults.values():
            if not fault.target.matches(message, phone_number_id):
                continue
            count.seen += 1
            if fault.trigger.fires(count.seen):
                count.hits += 1
                return fault.outcome
        return None

    def as_json(self) -> Iterator[dict[str, Any]]:
        """Each as it was given, with its ``id``, the calls ``seen`` that matched, and its ``hits`` among them."""
        for number, (fault, count) in self._faults.items():
            yield {"id": number, **fault.given, "seen": count.seen, "hits": count.hits}


def fault_from(given: dict[str, Any]) -> Fault:
    """``{"phone_number_id"?, "to"?, "template"?, "trigger"?, "outcome"}``. Raises InputError."""
    if unknown := given.keys() - _KEYS:
        raise InputError(min(unknown), f"no such key; there are {', '.join(sorted(_KEYS))}")
    for name in _TARGETS:
        if name in given and (not isinstance(given[name], str) or not given[name]):
            raise InputError(name, "must be a non-empty string")
    target = Target(given.get("phone_number_id"), _recipient(given.get("to")), given.get("template"))
    return Fault(target, _trigger(given.get("trigger", {"always": True})), outcome_from(given.get("outcome")), given)


def _recipient(value: str | None) -> str | None:
    if value is None or is_user_id(value):
        return value
    digits = phone_digits(value)
    if digits is None:
        raise InputError("to", "must be a phone number, such as 15551230001, or a user id")
    return digits


def _trigger(given: object) -> Trigger:
    if not isinstance(given, dict) or len(given) != 1 or not given.keys() <= set(Rhythm):
        raise InputError("trigger", 'must be {"always": true}, {"next": n} or {"every": n}')
    [(name, value)] = given.items()
    if name == Rhythm.ALWAYS:
        if value is not True:
            raise InputError("trigger.always", "must be true")
        return Trigger()
    if type(value) is not int or not 1 <= value <= MAX_COUNT:
        raise InputError(f"trigger.{name}", f"must be a whole number from 1 to {MAX_COUNT}")
    return Trigger(Rhythm(name), value)


def _template(message: OutboundMessage) -> str | None:
    return message.body["template"]["name"] if message.type == "template" else None
