"""Cached checks: a thread repeats a check while its result is asked for, so that no request waits for it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

# Nobody has asked for so long: the checks end, and begin again with the next one who asks.
WANTED_S = 60.0


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """What a check found, or the name of the error that it ended with (or its `why`); `at` is a time.monotonic()."""

    at: float
    found: T | None = None
    error: str = ""

    @property
    def age_s(self) -> float:
        """How old this is."""
        return time.monotonic() - self.at


class Probe(Generic[T]):
    """Repeats `check`, which has a deadline of its own, every so many seconds. `close` lets go of what it has open.

    A result that has outlived its time counts as none: a check that hangs all the same is an answer too.
    """

    def __init__(
        self,
        name: str,
        check: Callable[[], T],
        *,
        every: float,
        deadline: float,
        close: Callable[[], None] | None = None,
    ) -> None:
        self._name, self._check, self._every, self._deadline, self._close = name, check, every, deadline, close
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._begun_at = self._wanted_until = 0.0
        self._seen: Seen[T] | None = None

    def want(self) -> None:
        """See to it that the check is repeated from now on."""
        with self._changed:
            self._wanted_until = time.monotonic() + WANTED_S
            if self._thread is None:
                self._begun_at = time.monotonic()
                self._thread = threading.Thread(target=self._run, name=f"{self._name}-probe", daemon=True)
                self._thread.start()

    def seen(self) -> Seen[T]:
        """The latest result. Only who asks first waits, for the deadline at most."""
        self.want()
        with self._changed:
            left = self._begun_at + self._deadline - time.monotonic()
            if not self._is_fresh() and left > 0:
                self._changed.wait_for(self._is_fresh, left)
            if self._seen is not None and self._is_fresh():
                return self._seen
            return Seen(self._seen.at if self._seen else self._begun_at, error="no answer")

    def stop(self) -> None:
        """End now, and forget."""
        with self._changed:
            thread, self._wanted_until = self._thread, 0.0
            self._changed.notify_all()
        if thread is not None:
            thread.join(self._deadline)
        self._seen = None

    def _is_fresh(self) -> bool:
        return self._seen is not None and self._seen.age_s < self._every + 3 * self._deadline

    def _run(self) -> None:
        while True:
            seen = self._look()
            with self._changed:
                self._seen = seen
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._wanted_until == 0, self._every)
                if time.monotonic() >= self._wanted_until:
                    self._thread = None
                    if self._close:
                        self._close()
                    return

    def _look(self) -> Seen[T]:
        try:
            return Seen(time.monotonic(), self._check())
        except Exception as error:  # whatever is wrong there is what was to be found out
            return Seen(time.monotonic(), error=getattr(error, "why", type(error).__name__))
