"""Events on their way to Flower: a bounded buffer and a sending thread, so that no task waits.

`put` is an append to a deque. What finds the buffer full, or is refused by SQS, is dropped and counted.
"""

import json
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from waproject.metrics import counters
from waproject.sqs.back_off import back_off
from waproject.sqs.wire import SqsError, Unavailable

logger = logging.getLogger(__name__)

# A busy worker sends once in so many seconds, an idle one only its heartbeats.
LINGER_S = 1.0
ROOM = 5000
# SQS bills per 64 KB; a batch stays below one such chunk.
BATCH_BYTES = 60_000
# How long a worker that stops waits for its last events to leave.
FAREWELL_S = 2.0


class Outbox:
    """Gathers events and hands them to `send`, JSON lists of up to 60 KB, in the order in which they were put.

    send: gets the text and raises wire.SqsError. Any thread may put.
    """

    def __init__(self, send: Callable[[str], None], *, linger: float = LINGER_S, room: int = ROOM) -> None:
        self._send, self._linger, self._room = send, linger, room
        self._events: deque[dict[str, Any]] = deque()
        self._some = threading.Event()
        self._closing = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, event: dict[str, Any]) -> None:
        """Take an event along, or drop it; returns at once."""
        if len(self._events) >= self._room:
            counters.BUS_DROPPED.inc("full")
            return
        self._events.append(event)
        if not self._some.is_set():
            self._some.set()
            self._start()

    def close(self, timeout: float = FAREWELL_S) -> None:
        """Send what is left, if that takes no longer than `timeout` seconds."""
        self._closing.set()
        self._some.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="bus-events", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not (self._closing.is_set() and not self._events):
            self._some.wait()
            self._closing.wait(self._linger)
            self._some.clear()
            while batch := self._batch():
                self._deliver(batch)

    def _batch(self) -> list[str]:
        """As many events as fit, as JSON; at least one if there is any."""
        batch: list[str] = []
        size = 0
        while self._events and size < BATCH_BYTES:
            text = json.dumps(self._events.popleft(), default=str)
            batch.append(text)
            size += len(text) + 1
        return batch

    def _deliver(self, batch: list[str]) -> None:
        """Send it; while SQS is away again and again, as the buffer fills up behind it."""
        failures = 0
        while True:
            try:
                self._send(f"[{','.join(batch)}]")
            except SqsError as error:
                failures += 1
                if failures & (failures - 1) == 0:  # the 1st, 2nd, 4th, 8th …
                    logger.warning("bus: events were not sent: %s", error)
                if not isinstance(error, Unavailable) or self._closing.is_set():
                    break
            except Exception as error:  # the thread's edge: without it the worker would fall silent
                logger.error("bus: events were not sent: %s", type(error).__name__)
                break
            else:
                return
            self._closing.wait(back_off(failures))
        counters.BUS_DROPPED.inc("refused", by=len(batch))
        self._closing.wait(back_off(5))
