"""Keeps a prefork worker that stops from forgetting tasks that its processes have begun.

A process tells that it begins a task, and the worker's event loop reads that later. Celery 5.7, when it stops, drops
each task of which it has not read so much yet ("they will be redelivered by the broker"), although the process carries
it out: its message is given back, and it runs twice. Here a task counts as begun once its process was given it.
"""

from typing import Any

from celery import bootsteps
from celery.concurrency.asynpool import AsynPool


class FinishWhatIsBegun(bootsteps.StartStopStep):
    """For `app.steps["worker"]`. Works on nothing but the prefork pool."""

    requires = ("celery.worker.components:Pool",)

    def close(self, worker: Any) -> None:
        """Called on SIGTERM, between the last turn of the event loop and the pool's being emptied."""
        pool = getattr(worker.pool, "_pool", None)
        if isinstance(pool, AsynPool):
            keep_begun(pool)


def keep_begun(pool: Any) -> None:
    """Have the pool wait for every job of which a process was given a part, or the whole."""
    for job in tuple(pool._cache.values()):
        if job._write_to is None or job._accepted:
            continue
        writer = getattr(job, "_writer", lambda: None)()
        if writer in pool._active_writers:  # a large one, of which the pipe took a part
            pool._flush_writer(job._write_to, writer)
        # What the process says of it later sets this as well, and the time and process beside it.
        job._accepted = True
