"""The monitor process: counts, samples, alerts and redrive jobs. One works, others stand by.

It is on no lane that it watches, so that a lane which stands still is noticed.
"""

import logging
import signal
import threading
import time
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from monitoring.alerts import channels, store
from monitoring.dead_letters import redrive_jobs, task_failures
from monitoring.metrics import gauges, message_counts, samples, totals
from monitoring.metrics.backlog_age import Level, oldest_age
from monitoring.metrics.gauges import QUEUE, QUEUE_AGE, Readings
from monitoring.metrics.samples import Moment
from monitoring.metrics.window import Window
from waproject.metrics.counters import SQS_MESSAGES
from waproject.queues import LANES

logger = logging.getLogger(__name__)

TICK_S = 30.0
# How soon another monitor takes over from one that ended, and how often one looks at a database that is away.
STAND_BY_S = 5.0
# How often the processes are looked at between ticks: one that is gone, or back, is not left waiting for the next tick.
PROCESSES_EVERY_S = 5.0
# What the rules look back on.
WINDOW = timedelta(minutes=20)
THIN_OUT_EVERY_S = 3600.0
# An arbitrary number that all monitors of a database know: whoever has its advisory lock works.
LOCK = 0x77616D6F


class Monitor:
    """Ticks until it is told to stop."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._moments: deque[Moment] = deque()
        self._standings: store.Standings = {}
        self._works = False
        self._thin_out_at = 0.0

    def stop_on_signals(self) -> None:
        """End after the current tick at SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())

    def run(self) -> None:
        """Tick; outlive a database that goes away and comes back."""
        logger.info("monitor is ready")
        while not self._stopping.is_set():
            started = time.monotonic()
            wait = TICK_S
            try:
                if self._is_the_one():
                    self.tick()
                else:
                    wait = STAND_BY_S
            except (OperationalError, InterfaceError) as error:
                logger.warning("the database is away: %s", type(error).__name__)
                connection.close()
                self._works = False
                wait = STAND_BY_S
            except Exception:  # the process's edge: one reading that fails must not end the watch
                logger.exception("a tick failed")
            self._wait_until(started + wait)

    def tick(self) -> Moment:
        """Count, read, keep, judge, tell."""
        message_counts.count_new_events()
        now = timezone.now()
        values = {**totals.totals(), **gauges.read()}
        ages = queue_ages([*self._moments, Moment(now, values)])
        self._moments.append(samples.take(now, {**values, **ages}))
        while self._moments[0].at < now - WINDOW:
            self._moments.popleft()
        self._standings = store.evaluate(self._standings, Window(tuple(self._moments)), list(channels.configured()))
        channels.tell(now)
        self._thin_out(now)
        return self._moments[-1]

    def _wait_until(self, moment: float) -> None:
        """Wait for the time of the next tick, for the end, or for a process that is gone or back."""
        while (left := moment - time.monotonic()) > 0 and not self._stopping.wait(min(left, PROCESSES_EVERY_S)):
            if self._works and self._processes_changed():
                return

    def _processes_changed(self) -> bool:
        before = self._moments[-1].values if self._moments else {}
        try:
            now = gauges.read_processes()
        except (OperationalError, InterfaceError):
            return True
        watched = (gauges.PROCESSES.name, gauges.PROCESS_GONE.name)
        return any(before.get(series) != value for series, value in now.items() if series[0] in watched)

    def _thin_out(self, now: datetime) -> None:
        if time.monotonic() >= self._thin_out_at:
            self._thin_out_at = time.monotonic() + THIN_OUT_EVERY_S
            samples.thin_out(now)
            task_failures.tidy(now)
            redrive_jobs.tidy(now)

    def _is_the_one(self) -> bool:
        """Whether this monitor works. The lock is the connection's: when that is lost, so is the lock."""
        if self._works and connection.connection is not None and not connection.connection.closed:
            return True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            self._works = bool(cursor.fetchone()[0])
        if self._works:
            self._go_on()
        return self._works

    def _go_on(self) -> None:
        """Where the one before ended."""
        logger.info("monitor works")
        self._moments = deque(samples.since(timezone.now() - WINDOW))
        self._standings = store.standings_of_open_alerts()


def queue_ages(moments: Sequence[Moment]) -> Readings:
    """The estimated age of the oldest message on each lane's queue; none where the last moment does not know it."""
    ages: Readings = {}
    for name, lane in LANES.items():
        levels = [level for moment in moments if (level := _level(moment, name, lane.url)) is not None]
        if levels and levels[-1].at == moments[-1].at:
            ages[QUEUE_AGE.name, name] = oldest_age(levels)
    return ages


def _level(moment: Moment, lane: str, url: str) -> Level | None:
    held = [moment.get(QUEUE.name, lane, state) for state in ("waiting", "in_flight", "delayed")]
    deleted = moment.get(SQS_MESSAGES.name, url.rsplit("/", 1)[-1], "DeleteMessage") or 0.0
    known = [count for count in held if count is not None]
    return Level(moment.at, sum(known), deleted) if known else None
