"""Cached checks: a thread repeats a check while its result is in demand, so that no request waits for it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

IDLE_AFTER_S = 60.0


@dataclass(frozen=True, slots=True)
class CheckResult(Generic[T]):
    """A check's value, or the class of its error (or the error's `reason`); `at` is a time.monotonic()."""

    at: float
    value: T | None = None
    error: str = ""

    @property
    def age_s(self) -> float:
        """The age of the result in seconds."""
        return time.monotonic() - self.at


class CachedCheck(Generic[T]):
    """Repeats `check`, which has a deadline of its own, every `every` seconds. `close` releases its resources.

    Without a caller for `idle_after` seconds the thread ends; the next caller starts it again. A result that is too old
    becomes an error, so a check that hangs despite its deadline is noticed.
    """

    def __init__(
        self,
        name: str,
        check: Callable[[], T],
        *,
        every: float,
        deadline: float,
        idle_after: float = IDLE_AFTER_S,
        close: Callable[[], None] | None = None,
    ) -> None:
        self._name, self._check, self._every, self._deadline = name, check, every, deadline
        self._idle_after, self._close = idle_after, close
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._started_at = self._wanted_until = 0.0
        self._latest: CheckResult[T] | None = None

    def start(self) -> None:
        """Have the check repeated from now on."""
        with self._changed:
            self._wanted_until = time.monotonic() + self._idle_after
            if self._thread is None:
                self._started_at = time.monotonic()
                thread = threading.Thread(target=self._run, name=f"{self._name}-check", daemon=True)
                thread.start()  # raises where the host has no thread left: the next caller tries again
                self._thread = thread

    def result(self) -> CheckResult[T]:
        """The latest result. Only the first caller waits, for the deadline at most."""
        self.start()
        with self._changed:
            left = self._started_at + self._deadline - time.monotonic()
            if not self._is_fresh() and left > 0:
                self._changed.wait_for(self._is_fresh, left)
            if self._latest is not None and self._is_fresh():
                return self._latest
            return CheckResult(self._latest.at if self._latest else self._started_at, error="no answer")

    def stop(self, timeout: float | None = None) -> None:
        """Stop the thread and drop the result. A running check has `timeout` seconds, by default its deadline."""
        with self._changed:
            thread, self._wanted_until = self._thread, 0.0
            self._changed.notify_all()
        if thread is not None:
            thread.join(self._deadline if timeout is None else timeout)
        self._latest = None

    def _is_fresh(self) -> bool:
        return self._latest is not None and self._latest.age_s < self._every + 3 * self._deadline

    def _run(self) -> None:
        while True:
            result = self._run_check()
            with self._changed:
                self._latest = result
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._wanted_until == 0, self._every)
                if time.monotonic() >= self._wanted_until:
                    self._thread = None
                    if self._close:
                        self._close()
                    return

    def _run_check(self) -> CheckResult[T]:
        try:
            return CheckResult(time.monotonic(), self._check())
        except Exception as error:  # any error is a result of the check
            return CheckResult(time.monotonic(), error=getattr(error, "reason", type(error).__name__))
