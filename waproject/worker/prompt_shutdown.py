"""Prompt shutdown: a signal wakes the worker's event loop at once.

Celery 5.7's signal handler only sets a flag, which the event loop reads after its next event or timer: an idle worker
sleeps on for up to 5 s. Tasks that have begun are still finished (`prefork`).
"""

from typing import Any

from celery import signals

from waproject.sqs.loop_waker import Waker


def stop_at_once(hub: Any) -> None:
    """Wake this worker's event loop when a signal tells the worker to stop."""
    waker = Waker(hub, lambda: None)
    waker.listen()

    def wake(**_: Any) -> None:
        waker.wake()

    signals.worker_shutting_down.connect(wake, weak=False)
