"""The monitor process: counters, samples and alerts. One monitor is active, others stand by.

It uses no lane, so that it notices a lane that has stalled.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

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

T = TypeVar("T")

TICK_S = 30.0
# How often a standby tries to take over, and how often a monitor retries an unreachable database.
STAND_BY_S = 5.0
# How often the heartbeats are read between ticks: a change starts the next tick at once.
PROCESSES_EVERY_S = 5.0
# The history that the rules need.
WINDOW = timedelta(minutes=20)
CLEAN_UP_EVERY_S = 3600.0
# Replaced processes are settled once the monitor has ticked for so long.
STEADY_S = 60.0
GAUGE_NAMES = frozenset(gauge.name for gauge in gauges.GAUGES)
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
        # By part of a tick: 1 if it failed when it was tried last.
        self._failed: dict[str, float] = {}
        self._each_part: Callable[[], None] = lambda: None

    def stop_on_signals(self) -> None:
        """Stop after the current tick on SIGTERM or SIGINT."""
        self._loop.stop_on_signals()

    def run(self, each_step: Callable[[], None] = lambda: None) -> None:
        """Tick until stopped; survives outages of the database. Calls `each_step` before each step and each part."""
        self._each_part = each_step
        self._loop.run(each_step)

    def _step(self) -> float:
        """Tick if it is time, or if a process has ended or started."""
        if not self._is_active():
            return STAND_BY_S
        if time.monotonic() >= self._next_tick or self._processes_changed():
            self._next_tick = time.monotonic() + TICK_S
            self.tick()
        return min(PROCESSES_EVERY_S, self._next_tick - time.monotonic())

    def _stand_by(self) -> None:
        """The lock has ended with the connection."""
        self._active = False
        self._next_tick = 0.0

    def tick(self) -> Snapshot:
        """Update counters, store a sample, evaluate the rules and send due notices.

        A part that fails keeps no other from its turn: each tick tries it again, and an alert names it.
        """
        self._try("check of the set-up", self._setup.step)
        self._try("counts of messages", message_counts.count_new_events)
        now = timezone.now()
        self._try("crashes", partial(self._settle_replaced, now))
        self._snapshots.append(self._read(now))
        while self._snapshots[0].at < now - WINDOW:
            self._snapshots.popleft()
        self._try("sample", partial(samples.store, now, self._snapshots[-1].values))
        self._try("alerts", self._evaluate)
        self._try("notices", partial(channels.send_due, now))
        self._clean_up(now)
        return self._snapshots[-1]

    def _try(self, part: str, work: Callable[[], T], otherwise: T | None = None) -> T | None:
        """Do a part of a tick. Raises only where the connection is lost, and with it the lock."""
        self._each_part()
        try:
            done = work()
        except Exception:
            if gauges.is_connection_lost():
                raise
            logger.exception("a part of the monitor's work failed: %s", part)
            self._failed[part] = 1.0
            return otherwise
        self._failed[part] = 0.0
        return done

    def _read(self, now: datetime) -> Snapshot:
        """All readings; those of a part that fails are the ones before."""
        before = self._snapshots[-1].values if self._snapshots else {}
        counted = {series: value for series, value in before.items() if series[0] not in GAUGE_NAMES}
        values = {**(self._try("totals", totals.totals, counted) or {}), **gauges.read(before)}
        values |= queue_ages([*self._snapshots, Snapshot(now, values)])
        # Of what follows in a tick, the results of the tick before.
        values |= {(gauges.MONITOR_FAILED.name, part): failed for part, failed in self._failed.items()}
        return Snapshot(now, samples.without_buckets(values))

    def _settle_replaced(self, now: datetime) -> None:
        # After an outage of the database all processes look gone until they have reported again.
        if self._snapshots and Window((*self._snapshots, Snapshot(now, {}))).covered_s(STEADY_S) >= STEADY_S:
            health.settle_replaced(now)

    def _evaluate(self) -> None:
        window = Window(tuple(self._snapshots))
        self._active_alerts = store.evaluate(self._active_alerts, window, list(channels.configured()))

    def _processes_changed(self) -> bool:
        before = self._snapshots[-1].values if self._snapshots else {}
        now = gauges.read_processes()
        watched = (gauges.PROCESSES.name, gauges.PROCESS_GONE.name)
        return any(before.get(series) != value for series, value in now.items() if series[0] in watched)

    def _clean_up(self, now: datetime) -> None:
        if time.monotonic() >= self._clean_up_at:
            self._clean_up_at = time.monotonic() + CLEAN_UP_EVERY_S
            self._try("expiry of samples", partial(samples.downsample, now))
            self._try("expiry of failures of tasks", partial(task_failures.delete_expired, now))
            self._try("expiry of redrive jobs", partial(redrive_jobs.delete_expired, now))
            self._try("expiry of heartbeats", partial(health.delete_expired, now))
            self._try("expiry of sessions", idle_sessions.delete_expired)

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
