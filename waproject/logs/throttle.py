"""Rate-limited logging: one line per interval, with the count of suppressed lines."""

import threading
import time


class LogThrottle:
    """Admits one log line in `every` seconds. Thread-safe."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._lock = threading.Lock()
        self._next = float("-inf")
        self._suppressed = 0

    def admit(self) -> int | None:
        """Return how many lines were suppressed since the last admitted one; None to suppress this line."""
        now = time.monotonic()
        with self._lock:
            if now < self._next:
                self._suppressed += 1
                return None
            self._next = now + self._every
            suppressed, self._suppressed = self._suppressed, 0
            return suppressed
