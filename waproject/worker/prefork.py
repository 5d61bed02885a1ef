"""Celery's prefork pool, with a shutdown that finishes begun tasks, and a guard around pickling.

A process reports that it begins a task, and the worker's event loop reads that report later. On shutdown Celery 5.7
discards each task whose report it has not read ("they will be redelivered by the broker"), although the process runs
it: its message returns to the queue and the task runs twice. Here a task counts as begun once a process was given it.

A task that cannot be pickled for a process fails alone, as a task does that raises: Celery 5.7 would raise in the event
loop, keep the job forever, and count its message as delivered. The checks of a message's depth and size
(waproject/sqs/envelope.py) refuse most of these before.

Scheduling, time limits, and the tasks of a process that ended are Celery's. docs/internals.md lists what is overridden.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from billiard.einfo import ExceptionInfo
from billiard.pool import RUN
from celery import bootsteps
from celery.concurrency import asynpool, prefork

RECHECK_EXIT_S = 0.02
REJECT_S = 0.001


class TaskNotPicklable(Exception):
    """The arguments of a task cannot be pickled for a process. cause: the error's class; no argument is quoted."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"the arguments cannot be pickled: {cause}")


def _failure(error: Exception) -> ExceptionInfo:
    try:
        raise error
    except type(error):
        return ExceptionInfo()


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

    def _create_write_handlers(self, hub: Any, **kwargs: Any) -> None:
        """Called once by the pool's constructor; sets `_quick_put`, which pickles a job and queues it."""
        super()._create_write_handlers(hub, **kwargs)
        put: Callable[[Any], None] = self.__dict__["_quick_put"]
        self._quick_put = partial(self._put, hub, put)

    def _put(self, hub: Any, put: Callable[[Any], None], message: tuple[Any, tuple[Any, ...]]) -> None:
        """Queue a job. If it cannot be pickled, fail it as if it had run and raised."""
        try:
            put(message)
        except Exception as error:  # pickling calls methods of any object; deep arguments raise RecursionError
            job = self._cache[message[1][0]]
            job._accepted = True
            job._set(None, (False, _failure(TaskNotPicklable(type(error).__name__))))
            # As after a result: without its slot back, the worker would stall after as many tasks as it has processes.
            if self._putlock is not None:
                self._putlock.release()
            # The worker rejects the message by `call_soon`, which does not end the event loop's current poll.
            hub.call_later(REJECT_S, lambda: None)

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
