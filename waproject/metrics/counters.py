"""Counters, histograms among them: an addition in memory, flushed to the database every 10 s.

    WEBHOOKS.inc("taken")
    TASK_SECONDS.observe(0.012, "messaging.send", "ok")

A thread of each process flushes its buffered additions to a store every `FLUSH_EVERY_S` seconds, so the totals cover
all processes and hosts, and survive restarts. A killed process loses up to ten seconds of counts.
prometheus-client's own multi-process mode reads the files of one host only; we use its text format
(monitoring/metrics/exposition.py).

Nothing is flushed, and no thread started, until the process calls `start_flushing` (waproject/metrics/flushing.py).
"""

import atexit
import logging
import os
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from waproject.sqs import request_observer

logger = logging.getLogger(__name__)

FLUSH_EVERY_S = 10.0
# A series: a metric's name, the values of its labels, and for a histogram a bucket's upper bound or "sum".
Series = tuple[str, ...]
Store = Callable[[Mapping[Series, float]], None]

INFINITY = "+Inf"
SUM = "sum"
FAST_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 60.0)
SLOW_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter. Label values are few and known in advance, and contain no slash."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()

    def inc(self, *values: str, by: float = 1.0) -> None:
        """Add to the series of these values of the labels."""
        _buffer.add((((self.name, *values), by),))


@dataclass(frozen=True, slots=True)
class Histogram:
    """A distribution, in seconds, by upper bounds."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = FAST_S

    def observe(self, seconds: float, *values: str) -> None:
        """Add one observation."""
        place = bisect_left(self.bounds, seconds)
        bound = repr(self.bounds[place]) if place < len(self.bounds) else INFINITY
        _buffer.add((((self.name, *values, bound), 1.0), ((self.name, *values, SUM), seconds)))


WEBHOOKS = Counter("waproject_webhooks_total", "Webhook requests by what became of them", ("outcome",))
TASK_SECONDS = Histogram("waproject_task_seconds", "How long a task ran", ("task", "outcome"))
TASK_WAIT = Histogram(
    "waproject_task_wait_seconds", "How long a task's message was on its queue before", ("task",), SLOW_S
)
CLOUD_API_SECONDS = Histogram("waproject_cloud_api_seconds", "How long a call of the Cloud API took", ("outcome",))
SQS_REQUESTS = Counter("waproject_sqs_requests_total", "Requests to SQS", ("queue", "action", "outcome"))
SQS_MESSAGES = Counter("waproject_sqs_messages_total", "Messages in answered requests", ("queue", "action"))
DELIVERIES = Counter("waproject_deliveries_total", "Requests to subscribers by what became of them", ("outcome",))
MEDIA = Counter("waproject_media_total", "Tries to fetch a message's file by what became of them", ("outcome",))
BUS_DROPPED = Counter("waproject_bus_events_dropped_total", "Events that never reached Flower", ("reason",))
HOT: tuple[Counter | Histogram, ...] = (
    WEBHOOKS,
    TASK_SECONDS,
    TASK_WAIT,
    CLOUD_API_SECONDS,
    SQS_REQUESTS,
    SQS_MESSAGES,
    DELIVERIES,
    MEDIA,
    BUS_DROPPED,
)


class _CountsOfSqs:
    """Counts requests of waproject.sqs: see its request_observer.py."""

    def requested(self, queue: str, action: str, outcome: str) -> None:
        SQS_REQUESTS.inc(queue, action, outcome)

    def handled(self, queue: str, action: str, messages: int) -> None:
        SQS_MESSAGES.inc(queue, action, by=messages)


request_observer.observe(_CountsOfSqs())


class _Buffer:
    """This process's additions since the last flush."""

    def __init__(self) -> None:
        self._store: Store | None = None
        self._every = FLUSH_EVERY_S
        self._reset()
        os.register_at_fork(after_in_child=self._reset)
        atexit.register(self.flush)

    def _reset(self) -> None:
        # A forked child starts from zero; its parent flushes the counts from before the fork.
        self._sums: dict[Series, float] = {}
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._flusher: threading.Thread | None = None

    def add(self, additions: tuple[tuple[Series, float], ...]) -> None:
        with self._lock:
            sums = self._sums
            for series, by in additions:
                sums[series] = sums.get(series, 0.0) + by
            if self._flusher is None and self._store is not None:
                flusher = threading.Thread(target=self._flush_periodically, name="metrics", daemon=True)
                with suppress(RuntimeError):  # the host has no thread left: the next addition tries again
                    flusher.start()
                    self._flusher = flusher

    def start_flushing(self, store: Store, every: float) -> None:
        self._store, self._every = store, every

    def drain(self) -> dict[Series, float]:
        with self._lock:
            taken, self._sums = self._sums, {}
        return taken

    def flush(self) -> None:
        """Store the additions; keep them for the next flush if the store fails."""
        if self._store is None:
            return
        with self._flushing:
            taken = self.drain()
            try:
                if taken:
                    self._store(taken)
            except Exception as error:  # a failing store must not stop the work
                self.add(tuple(taken.items()))
                logger.warning("metrics were not stored: %s", type(error).__name__)

    def _flush_periodically(self) -> None:
        while True:
            time.sleep(self._every)
            self.flush()


_buffer = _Buffer()


def start_flushing(store: Store, every: float = FLUSH_EVERY_S) -> None:
    """Flush the counts of this process, and of those it forks, to `store`, every `every` seconds."""
    _buffer.start_flushing(store, every)


def drain() -> dict[Series, float]:
    """Return and reset this process's counts since the last flush or drain."""
    return _buffer.drain()


def flush() -> None:
    """Flush now, in a process that runs no exit handlers."""
    _buffer.flush()
