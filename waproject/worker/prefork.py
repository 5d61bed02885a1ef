"""Celery's prefork pool, with a shutdown that finishes every task that a process was given.

A process reports that it begins a task, and the worker's event loop reads that report later. On shutdown Celery 5.7
discards each task whose report it has not read ("they will be redelivered by the broker"), although the process runs
it: its message returns to the queue and the task runs twice. Here a task counts as begun once a process was given it.

Scheduling, time limits, and the tasks of a process that ended are Celery's. docs/internals.md lists what is overridden.
"""

from typing import Any

from billiard.pool import RUN
from celery import bootsteps
from celery.concurrency import asynpool, prefork

RECHECK_EXIT_S = 0.02


class Prefork(bootsteps.StartStopStep):
    """For `app.steps["worker"]`: replaces Celery's prefork pool with this one; other kinds of pool stay."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        # Celery constructs all steps before it creates the pool.
        if worker.pool_cls is prefork.TaskPool:
            worker.pool_cls = TaskPool
        super().__init__(worker, **kwargs)

    def close(self, worker: Any) -> None:
        """Called on SIGTERM, after the last turn of the event loop and before the pool is flushed."""
        pool = getattr(worker.pool, "_pool", None)
        if isinstance(pool, Pool):
            pool.await_begun_tasks()


class Pool(asynpool.AsynPool):  # type: ignore[misc]
    """The pool of processes."""

    def await_begun_tasks(self) -> None:
        """Mark every job that a process was given as accepted, so that `flush` waits for it."""
        for job in tuple(self._cache.values()):
            if job._write_to is None or job._accepted or job in self.outbound_buffer:
                continue
            writer = getattr(job, "_writer", lambda: None)()
            if writer in self._active_writers:  # a large job, of which the pipe took a part
                self._flush_writer(job._write_to, writer)
            # The process's own report sets this again, with its time and pid.
            job._accepted = True

    def _event_process_exit(self, hub: Any, process: Any) -> None:
        """A process's pipes close a moment before waitpid sees its end; Celery would look again after up to 5 s."""
        super()._event_process_exit(hub, process)
        if process in self._pool and self._state == RUN:
            hub.call_later(RECHECK_EXIT_S, self._event_process_exit, hub, process)


class TaskPool(prefork.TaskPool):  # type: ignore[misc]
    """Celery's name for a pool: the part that the worker talks to."""

    Pool = Pool
