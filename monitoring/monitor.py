"""The monitor process: counters, samples and alerts. One monitor is active, others stand by.

It uses no lane, so that it notices a lane that has stalled.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from monitoring import health
from monitoring.alerts import channels, store
from monitoring.dead_letters import redrive_jobs, task_failures
from monitoring.metrics import gauges, message_counts, samples, totals
from monitoring.metrics.backlog_age import Level, oldest_age
from monitoring.metrics.gauges import QUEUE, QUEUE_AGE, Readings
from monitoring.metrics.samples import Snapshot
from monitoring.metrics.window import Window
from monitoring.setup import HourlyCheck
from waproject.metrics.counters import SQS_MESSAGES
from waproject.queues import LANES
from waproject.web import idle_sessions
from waproject.worker.main_loop import MainLoop

logger = logging.getLogger(__name__)

TICK_S = 30.0
# How often a standby tries to take over, and how often a monitor retries an unreachable database.
STAND_BY_S = 5.0
# How often the heartbeats are read between ticks: a change starts the next tick at once.
PROCESSES_EVERY_S = 5.0
# The history that the rules need.
WINDOW = timedelta(minutes=20)
CLEAN_UP_EVERY_S = 3600.0
# An arbitrary number, the same in all monitors of a database: the holder of its advisory lock is active.
ADVISORY_LOCK = 0x77616D6F


class Monitor:
    """Ticks every 30 s until `stop_on_signals` stops it."""

    def __init__(self) -> None:
        self._loop = MainLoop("monitor", self._step, error_wait_s=STAND_BY_S, on_outage=self._stand_by)
        self._snapshots: deque[Snapshot] = deque()
        self._active_alerts: store.ActiveAlerts = {}
        self._active = False
        self._clean_up_at = 0.0
        self._setup = HourlyCheck()
        self._next_tick = 0.0

    def stop_on_signals(self) -> None:
        """Stop after the current tick on SIGTERM or SIGINT."""
        self._loop.stop_on_signals()

    def run(self, each_step: Callable[[], None] = lambda: None) -> None:
        """Tick until stopped, calling `each_step` before each step; survives outages of the database."""
        self._loop.run(each_step)

    def _step(self) -> float:
        """Tick if it is time, or if a process has ended or started."""
        if not self._is_active():
            return STAND_BY_S
        if time.monotonic() >= self._next_tick or self._processes_changed():
            self._next_tick = time.monotonic() + TICK_S
            self._setup.step()
            self.tick()
        return min(PROCESSES_EVERY_S, self._next_tick - time.monotonic())

    def _stand_by(self) -> None:
        """The lock has ended with the connection."""
        self._active = False
        self._next_tick = 0.0

    def tick(self) -> Snapshot:
        """Update counters, store a sample, evaluate the rules and send due notices."""
        message_counts.count_new_events()
        now = timezone.now()
        values = {**totals.totals(), **gauges.read()}
        ages = queue_ages([*self._snapshots, Snapshot(now, values)])
        self._snapshots.append(samples.store(now, {**values, **ages}))
        while self._snapshots[0].at < now - WINDOW:
            self._snapshots.popleft()
        self._active_alerts = store.evaluate(
            self._active_alerts, Window(tuple(self._snapshots)), list(channels.configured())
        )
        channels.send_due(now)
        self._clean_up(now)
        return self._snapshots[-1]

    def _processes_changed(self) -> bool:
        before = self._snapshots[-1].values if self._snapshots else {}
        now = gauges.read_processes()
        watched = (gauges.PROCESSES.name, gauges.PROCESS_GONE.name)
        return any(before.get(series) != value for series, value in now.items() if series[0] in watched)

    def _clean_up(self, now: datetime) -> None:
        if time.monotonic() >= self._clean_up_at:
            self._clean_up_at = time.monotonic() + CLEAN_UP_EVERY_S
            samples.downsample(now)
            task_failures.delete_expired(now)
            redrive_jobs.delete_expired(now)
            health.delete_expired(now)
            idle_sessions.delete_expired()

    def _is_active(self) -> bool:
        """Whether this monitor is the active one. The lock ends with its connection."""
        if self._active and connection.connection is not None and not connection.connection.closed:
            return True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [ADVISORY_LOCK])
            self._active = bool(cursor.fetchone()[0])
        if self._active:
            self._resume()
        return self._active

    def _resume(self) -> None:
        """Continue where the previous active monitor ended."""
        logger.info("monitor is active")
        self._snapshots = deque(samples.since(timezone.now() - WINDOW))
        self._active_alerts = store.load_active_alerts()


def queue_ages(snapshots: Sequence[Snapshot]) -> Readings:
    """The estimated age of the oldest message on each lane's queue; left out if the last snapshot has no depth."""
    ages: Readings = {}
    for name, lane in LANES.items():
        levels = [level for snapshot in snapshots if (level := _level(snapshot, name, lane.url)) is not None]
        if levels and levels[-1].at == snapshots[-1].at:
            ages[QUEUE_AGE.name, name] = oldest_age(levels)
    return ages


def _level(snapshot: Snapshot, lane: str, url: str) -> Level | None:
    held = [snapshot.get(QUEUE.name, lane, state) for state in ("waiting", "in_flight", "delayed")]
    deleted = snapshot.get(SQS_MESSAGES.name, url.rsplit("/", 1)[-1], "DeleteMessage") or 0.0
    known = [count for count in held if count is not None]
    return Level(snapshot.at, sum(known), deleted) if known else None
