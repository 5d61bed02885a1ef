"""A circuit breaker: after a failure, one attempt at a time."""

import threading
import time
from collections.abc import Callable


class Breaker:
    """Closed until a failure; then open, letting one caller through each `retry_after_s` seconds. Thread-safe."""

    def __init__(self, retry_after_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._retry_after_s = retry_after_s
        self._clock = clock
        self._lock = threading.Lock()
        self._next_try: float | None = None

    def allows(self) -> bool:
        """Whether this caller may try; while open, a True also claims this period's one try."""
        with self._lock:
            if self._next_try is None:
                return True
            if self._clock() < self._next_try:
                return False
            self._next_try = self._clock() + self._retry_after_s
            return True

    def failed(self) -> bool:
        """Report a failure; True when it opened the breaker."""
        with self._lock:
            opened = self._next_try is None
            self._next_try = self._clock() + self._retry_after_s
            return opened

    def succeeded(self) -> bool:
        """Report a success; True when it closed the breaker."""
        with self._lock:
            closed = self._next_try is not None
            self._next_try = None
            return closed
