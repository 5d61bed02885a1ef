"""Heartbeats of Celery's processes: workers by lane, and beat."""

import atexit
from typing import Any

from celery import signals
from celery.utils.nodenames import gethostname

from waproject.sqs.loop_waker import Waker
from waproject.worker.liveness import LivenessReporter, Process

_lives: list[LivenessReporter] = []
_wakers: list[Waker] = []


def install() -> None:
    """Connect to Celery's signals; a child of prefork never gets here, its parent speaks for it."""
    signals.worker_ready.connect(_worker_is_ready)
    signals.worker_shutdown.connect(_end)
    signals.beat_init.connect(_beat_begins)


def _worker_is_ready(sender: Any, **_: Any) -> None:
    """Again after each time that a worker lost its broker: its event loop has then forgotten whom to wake."""
    if not _lives:
        (lane,) = sender.app.amqp.queues.consume_from
        life = LivenessReporter(Process(lane, sender.hostname))
        if sender.hub is not None:
            # The word is the event loop's: a worker whose loop hangs does nothing, although its threads go on.
            waker = Waker(sender.hub, life.progress)
            life.request_progress = waker.wake
            _wakers.append(waker)
        _begin(life)
    for waker in _wakers:
        waker.attach()


def _beat_begins(**_: Any) -> None:
    _begin(LivenessReporter(Process("beat", f"beat@{gethostname()}")))
    # beat has no signal for its end; SIGTERM leaves it by SystemExit.
    atexit.register(_end)


def _begin(life: LivenessReporter) -> None:
    _lives.append(life)
    life.start()


def _end(**_: Any) -> None:
    while _lives:
        _lives.pop().end()
