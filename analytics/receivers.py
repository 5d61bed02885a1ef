"""The only door from messaging: its new MessageEvent rows are hinted at, on the analytics queue."""

import atexit
import os
import threading
from typing import Any

from django.dispatch import receiver

from analytics import tasks
from messaging.signals import events_recorded
from messaging.task_publisher import publish_many

# Hints of one process share a task: at 240 statuses a second each would be a request of its own.
GATHER_S = 1.0
IDS_PER_TASK = 1000


class Hints:
    """Ids that wait to be hinted at. A hint that is lost, also by a process that dies, is found by the sweep."""

    def __init__(self) -> None:
        self._begin_anew()
        os.register_at_fork(after_in_child=self._begin_anew)
        atexit.register(self.flush)

    def _begin_anew(self) -> None:
        self._ids: list[int] = []
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def add(self, event_ids: list[int]) -> None:
        """Hint at these within a second."""
        with self._lock:
            self._ids += event_ids
            if self._timer is None:
                self._timer = threading.Timer(GATHER_S, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Hint at all that wait, now."""
        with self._lock:
            ids, self._ids, self._timer = self._ids, [], None
        if ids:
            calls = [(ids[start : start + IDS_PER_TASK],) for start in range(0, len(ids), IDS_PER_TASK)]
            publish_many(tasks.record_message_events, calls)


hints = Hints()


@receiver(events_recorded)
def hint(sender: Any, event_ids: list[int], **_: Any) -> None:
    """Tell the analytics lane, soon."""
    hints.add(event_ids)
