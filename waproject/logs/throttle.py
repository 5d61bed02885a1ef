"""Rate-limited logging: one line per interval, with the count of suppressed lines."""

import threading
import time


class Seldom:
    """Lets one hit in `every` seconds through."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._lock = threading.Lock()
        self._next = float("-inf")
        self._held_back = 0

    def hit(self) -> int | None:
        """How many hits were held back since the last one that was let through; None where this one is held back."""
        now = time.monotonic()
        with self._lock:
            if now < self._next:
                self._held_back += 1
                return None
            self._next = now + self._every
            held_back, self._held_back = self._held_back, 0
            return held_back
