"""Heartbeats of Celery's processes: workers by lane, and beat."""

import atexit
from typing import Any

from celery import signals
from celery.utils.nodenames import gethostname

from waproject.worker.liveness import Life, Process

_lives: list[Life] = []


def install() -> None:
    """Connect to Celery's signals; a child of prefork never gets here, its parent speaks for it."""
    signals.worker_ready.connect(_worker_is_ready)
    signals.worker_shutdown.connect(_end)
    signals.beat_init.connect(_beat_begins)


def _worker_is_ready(sender: Any, **_: Any) -> None:
    (lane,) = sender.app.amqp.queues.consume_from
    _begin(Process(lane, sender.hostname))


def _beat_begins(**_: Any) -> None:
    _begin(Process("beat", f"beat@{gethostname()}"))
    # beat has no signal for its end; SIGTERM leaves it by SystemExit.
    atexit.register(_end)


def _begin(process: Process) -> None:
    if _lives:  # a worker is ready again after each time that it lost its broker
        return
    life = Life(process)
    _lives.append(life)
    life.start()


def _end(**_: Any) -> None:
    while _lives:
        _lives.pop().end()
