"""Counters and histograms: an addition in memory, flushed to the database every 10 s.

    WEBHOOKS.inc("queued")
    TASK_SECONDS.observe(0.012, "messaging.send", "ok")

Additions of one process are gathered and given to a store by a thread of its own every `KEEP_EVERY_S` seconds, so the
totals are right over any number of processes and hosts, and survive restarts. What a killed process had not handed over
yet, up to ten seconds of counts, is missing. prometheus-client's own multi-process mode would see the files of one host
only; its text format is used all the same (monitoring/metrics/exposition.py).

Nothing is kept, and no thread started, until a process calls `keep()` (waproject/metrics/keeper.py).
"""

import atexit
import logging
import os
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from waproject.sqs import observing

logger = logging.getLogger(__name__)

KEEP_EVERY_S = 10.0
# A series: a metric's name, the values of its labels, and for a histogram a bucket's upper bound or "sum".
Series = tuple[str, ...]
Store = Callable[[Mapping[Series, float]], None]

INFINITY = "+Inf"
SUM = "sum"
FAST_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 60.0)
SLOW_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)


@dataclass(frozen=True, slots=True)
class Counter:
    """Something that is counted and never falls. Values of labels are few and known, and have no slash."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()

    def inc(self, *values: str, by: float = 1.0) -> None:
        """Add to the series of these values of the labels."""
        _gathered.add((((self.name, *values), by),))


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
        _gathered.add((((self.name, *values, bound), 1.0), ((self.name, *values, SUM), seconds)))


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
    """What waproject.sqs tells: see its observing.py."""

    def requested(self, queue: str, action: str, outcome: str) -> None:
        SQS_REQUESTS.inc(queue, action, outcome)

    def handled(self, queue: str, action: str, messages: int) -> None:
        SQS_MESSAGES.inc(queue, action, by=messages)


observing.observe(_CountsOfSqs())


class _Gathered:
    """This process's additions since they were last handed over."""

    def __init__(self) -> None:
        self._store: Store | None = None
        self._every = KEEP_EVERY_S
        self._begin_anew()
        os.register_at_fork(after_in_child=self._begin_anew)
        atexit.register(self.hand_over)

    def _begin_anew(self) -> None:
        # A forked child has its own counts; its parent hands over those that were there.
        self._sums: dict[Series, float] = {}
        self._lock = threading.Lock()
        self._handing_over = threading.Lock()
        self._keeper: threading.Thread | None = None

    def add(self, additions: tuple[tuple[Series, float], ...]) -> None:
        with self._lock:
            sums = self._sums
            for series, by in additions:
                sums[series] = sums.get(series, 0.0) + by
            if self._keeper is None and self._store is not None:
                self._keeper = threading.Thread(target=self._keep_on, name="metrics", daemon=True)
                self._keeper.start()

    def keep(self, store: Store, every: float) -> None:
        self._store, self._every = store, every

    def take(self) -> dict[Series, float]:
        with self._lock:
            taken, self._sums = self._sums, {}
        return taken

    def hand_over(self) -> None:
        """Store what was gathered; what the store does not take is gathered still."""
        if self._store is None:
            return
        with self._handing_over:
            taken = self.take()
            try:
                if taken:
                    self._store(taken)
            except Exception as error:  # counts must never harm what is counted
                self.add(tuple(taken.items()))
                logger.warning("metrics were not stored: %s", type(error).__name__)

    def _keep_on(self) -> None:
        while True:
            time.sleep(self._every)
            self.hand_over()


_gathered = _Gathered()


def keep(store: Store, every: float = KEEP_EVERY_S) -> None:
    """From now on this process, and those it forks, hand their counts over to `store`, every so many seconds."""
    _gathered.keep(store, every)


def take() -> dict[Series, float]:
    """What this process has counted since the last call, or since it was handed over."""
    return _gathered.take()


def hand_over() -> None:
    """Hand over now: before a process ends that runs no exit handlers."""
    _gathered.hand_over()
