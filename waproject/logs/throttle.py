"""Rate-limited logging: one line per interval, with the count of suppressed lines."""

import threading
import time


class LogThrottle:
    """Allows one line in `every` seconds. Thread-safe."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._lock = threading.Lock()
        self._next = float("-inf")
        self._held_back = 0

    def hit(self) -> int | None:
        """The number of lines suppressed since the last allowed one; None if this one is suppressed too."""
        now = time.monotonic()
        with self._lock:
            if now < self._next:
                self._held_back += 1
                return None
            self._next = now + self._every
            held_back, self._held_back = self._held_back, 0
            return held_back
