"""What the sandbox is told: the number that it plays (fixed) and how it behaves (changeable while it runs)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

MAX_MS = 120_000
STATUSES = ("sent", "delivered", "read")


class InputError(ValueError):
    """A value given to the sandbox's own endpoints or options that cannot be used; ``field`` names it."""

    def __init__(self, field_name: str, problem: str) -> None:
        super().__init__(f"{field_name}: {problem}")
        self.field = field_name
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Identity:
    """The business number that the sandbox plays, its secrets, and the URL that its webhooks go to."""

    phone_number_id: str
    display_phone_number: str
    waba_id: str
    webhook_url: str
    access_token: str = field(repr=False)
    app_secret: str = field(repr=False)
    # Ids of further business numbers, which differ from the first in nothing else.
    other_numbers: tuple[str, ...] = ()

    def has(self, phone_number_id: str) -> bool:
        """Whether this is one of its business numbers."""
        return phone_number_id == self.phone_number_id or phone_number_id in self.other_numbers


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Times in milliseconds.

    ``answer_ms`` is the range of the answer time of an accepted send. ``status_delays_ms`` are the moments of
    sent, delivered and read, each counted from acceptance (not from the status before). ``read`` false: nobody reads.
    """

    answer_ms: tuple[int, ...] = (150, 600)
    status_delays_ms: tuple[int, ...] = (100, 300, 600)
    read: bool = True

    def __post_init__(self) -> None:
        _check_milliseconds("answer_ms", self.answer_ms, 2)
        _check_milliseconds("status_delays_ms", self.status_delays_ms, len(STATUSES))
        if self.answer_ms[0] > self.answer_ms[1]:
            raise InputError("answer_ms", "the first number must not exceed the second")
        if not isinstance(self.read, bool):
            raise InputError("read", "must be true or false")

    def changed(self, changes: dict[str, Any]) -> Behaviour:
        """A copy with some settings replaced, from JSON. Raises InputError."""
        given: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in changes.items()
        }
        unknown = given.keys() - self.__dataclass_fields__.keys()
        if unknown:
            raise InputError(min(unknown), "no such setting")
        return replace(self, **given)

    def as_json(self) -> dict[str, Any]:
        """The shape of GET and POST /_sandbox/settings."""
        return {
            "answer_ms": list(self.answer_ms),
            "status_delays_ms": list(self.status_delays_ms),
            "read": self.read,
        }


def _check_milliseconds(name: str, values: object, count: int) -> None:
    if not isinstance(values, tuple) or len(values) != count:
        raise InputError(name, f"must be {count} whole numbers of milliseconds")
    if not all(type(value) is int and 0 <= value <= MAX_MS for value in values):
        raise InputError(name, f"each number must be whole, from 0 to {MAX_MS}")
