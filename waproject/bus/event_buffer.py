"""Outgoing events for Flower: a bounded buffer and a sending thread, so that no task waits.

`put` appends to a deque. Events are dropped and counted if the buffer is full or SQS refuses them.
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

# The interval of sends in a busy worker; an idle one only sends heartbeats.
LINGER_S = 1.0
CAPACITY = 5000
# SQS bills per 64 KB; a batch stays below one such chunk.
BATCH_BYTES = 60_000
# How long a stopping worker waits until its last events are sent.
CLOSE_TIMEOUT_S = 2.0


class EventBuffer:
    """Buffers events and passes them to `send` as JSON lists of up to 60 KB, in order. Thread-safe.

    send: gets the text and raises wire.SqsError.
    """

    def __init__(self, send: Callable[[str], None], *, linger: float = LINGER_S, capacity: int = CAPACITY) -> None:
        self._send, self._linger, self._capacity = send, linger, capacity
        self._events: deque[dict[str, Any]] = deque()
        self._some = threading.Event()
        self._closing = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, event: dict[str, Any]) -> None:
        """Buffer an event, or drop it. Never blocks."""
        if len(self._events) >= self._capacity:
            counters.BUS_DROPPED.inc("full")
            return
        self._events.append(event)
        if not self._some.is_set() and self._start():
            self._some.set()

    def close(self, timeout: float = CLOSE_TIMEOUT_S) -> None:
        """Send buffered events, for at most `timeout` seconds."""
        self._closing.set()
        self._some.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _start(self) -> bool:
        """Whether the sending thread runs. The system may have none left; then the next event tries again."""
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="bus-events", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    return False
                self._thread = thread
        return True

    def _run(self) -> None:
        while not (self._closing.is_set() and not self._events):
            self._some.wait()
            self._closing.wait(self._linger)
            self._some.clear()
            while batch := self._batch():
                self._deliver(batch)

    def _batch(self) -> list[str]:
        """As many events as fit, as JSON; at least one if the buffer is not empty."""
        batch: list[str] = []
        size = 0
        while self._events and size < BATCH_BYTES:
            try:
                text = json.dumps(self._events.popleft(), default=str)
            except Exception:  # e.g. a RecursionError: only this event is dropped
                counters.BUS_DROPPED.inc("invalid")
                continue
            batch.append(text)
            size += len(text) + 1
        return batch

    def _deliver(self, batch: list[str]) -> None:
        """Send the batch, with retries while SQS is unavailable; the buffer fills up meanwhile."""
        failures = 0
        while True:
            try:
                self._send(f"[{','.join(batch)}]")
            except SqsError as error:
                failures += 1
                if failures & (failures - 1) == 0:  # the 1st, 2nd, 4th, 8th …
                    logger.warning("bus: sending events failed: %s", error)
                if not isinstance(error, Unavailable) or self._closing.is_set():
                    break
            except Exception as error:  # the thread must survive, or the worker would send no more events
                logger.error("bus: sending events failed: %s", type(error).__name__)
                break
            else:
                return
            self._closing.wait(back_off(failures))
        counters.BUS_DROPPED.inc("refused", by=len(batch))
        self._closing.wait(back_off(5))
