"""Heartbeats of Celery's processes: workers by lane, and beat."""

import atexit
from typing import Any

from celery import signals
from celery.utils.nodenames import gethostname

from monitoring.health.task_progress import STALLED_AFTER_S, TaskProgress
from waproject.sqs.loop_waker import Waker
from waproject.worker.liveness import LivenessReporter, Process

_lives: list[LivenessReporter] = []
_wakers: list[Waker] = []


def install() -> None:
    """Connect to Celery's signals. Only the parent of a prefork pool sends heartbeats; its children never run this."""
    signals.worker_ready.connect(_worker_is_ready)
    signals.worker_shutdown.connect(_end)
    signals.beat_init.connect(_beat_starts)


def _worker_is_ready(sender: Any, **_: Any) -> None:
    """Also called after each reconnect to the broker, which drops the event loop's callbacks."""
    if not _lives:
        (lane,) = sender.app.amqp.queues.consume_from
        life = LivenessReporter(Process(lane, sender.hostname), stalled_after=STALLED_AFTER_S)
        life.makes_progress = TaskProgress().is_made
        if sender.hub is not None:
            # The event loop itself confirms each heartbeat: threads continue while a loop hangs.
            waker = Waker(sender.hub, life.progress)
            life.request_progress = waker.wake
            _wakers.append(waker)
        _start(life)
    for waker in _wakers:
        waker.attach()


def _beat_starts(sender: Any, **_: Any) -> None:
    life = LivenessReporter(Process("beat", f"beat@{gethostname()}"))
    scheduler, tick = sender.scheduler, sender.scheduler.tick

    def noted_tick() -> Any:
        """Beat calls it at least every 15 s, the shortest interval of the schedule."""
        life.progress()
        return tick()

    scheduler.tick = noted_tick
    _start(life)
    # Beat has no shutdown signal; SIGTERM ends it by SystemExit.
    atexit.register(_end)


def _start(life: LivenessReporter) -> None:
    _lives.append(life)
    life.start()


def _end(**_: Any) -> None:
    while _lives:
        _lives.pop().end()
