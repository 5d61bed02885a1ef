"""A worker that is told to stop does so at once.

Celery 5.7's signal handler only sets a flag, which its event loop sees after its next event or timer: an idle worker
sleeps on for up to 5 s. What its processes have begun is waited for all the same: `warm_shutdown`.
"""

import contextlib
import os
from typing import Any

from celery import signals


def stop_at_once(hub: Any) -> None:
    """Have this worker's event loop woken when a signal ends the worker."""
    read_end, write_end = os.pipe()
    for end in (read_end, write_end):
        os.set_blocking(end, False)

    def on_pipe() -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(read_end, 64)

    def wake(**_: Any) -> None:
        with contextlib.suppress(BlockingIOError):  # a full pipe wakes it as well
            os.write(write_end, b"x")

    hub.add_reader(read_end, on_pipe)
    signals.worker_shutting_down.connect(wake, weak=False)
