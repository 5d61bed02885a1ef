"""A cache of this process whose values count for some seconds."""

import time
from collections.abc import Hashable, Iterable, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class TtlCache(Generic[Key, Value]):
    """Values by key, each for `seconds` after it was stored.

    A cache of more than `most` values is emptied: `most` exceeds the keys in use, so that only made-up keys can reach
    it. Threads may share a cache: two that miss at the same time load the value twice.
    """

    def __init__(self, seconds: float, most: int = 10_000) -> None:
        self._seconds, self._most = seconds, most
        self._values: dict[Key, tuple[float, Value]] = {}

    def get(self, key: Key) -> Value | None:
        """The value; None if none is stored, or it is too old."""
        found = self._values.get(key)
        return found[1] if found is not None and time.monotonic() < found[0] else None

    def missing(self, keys: Iterable[Key]) -> set[Key]:
        """The keys without a value that counts."""
        return {key for key in keys if self.get(key) is None}

    def set(self, key: Key, value: Value) -> Value:
        """Store the value and return it."""
        self.update({key: value})
        return value

    def update(self, values: Mapping[Key, Value]) -> None:
        """Store these values."""
        if len(self._values) + len(values) > self._most:
            self._values.clear()
        until = time.monotonic() + self._seconds
        self._values.update({key: (until, value) for key, value in values.items()})

    def clear(self) -> None:
        """Make the next look-up of each key a miss."""
        self._values.clear()
