"""Progress of a worker's tasks: whether the requests that the worker holds come to an end."""

import time
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from celery.worker import state

# A task takes milliseconds; one that waits for a lock or a slow database, seconds. With reports every 15 s a worker
# whose tasks have stalled is known 45 s later at most.
STALLED_AFTER_S = 30.0


class TaskProgress:
    """Whether any request has ended in the last `STALLED_AFTER_S` seconds while there were some all the time."""

    def __init__(
        self,
        requests: Callable[[], Iterable[Any]] = lambda: state.reserved_requests,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._requests, self._clock = requests, clock
        # Weak, so that nothing of a task outlives it here.
        self._in_hand: list[weakref.ref[Any]] = []
        self._since = clock()

    def is_made(self) -> bool:
        """Called before each report, in the reporting thread. A worker without requests is idle: that is progress."""
        try:
            in_hand = set(self._requests())
        except RuntimeError:  # the event loop changed the set just now
            return True
        now = self._clock()
        if not in_hand or not self._in_hand or any(request() not in in_hand for request in self._in_hand):
            self._in_hand, self._since = [weakref.ref(request) for request in in_hand], now
        return now - self._since < STALLED_AFTER_S
