"""Prompt shutdown: a signal wakes the worker's event loop at once.

Celery 5.7's signal handler only sets a flag, which the event loop reads after its next event or timer, up to 5 s later
in an idle worker. Tasks that have begun still finish (`prefork`).
"""

from typing import Any

from celery import signals

from waproject.sqs.loop_waker import Waker


def wake_on_shutdown(hub: Any) -> None:
    """Wake this worker's event loop when a signal tells the worker to stop."""
    waker = Waker(hub, lambda: None)
    waker.attach()

    def wake(**_: Any) -> None:
        waker.wake()

    signals.worker_shutting_down.connect(wake, weak=False)
