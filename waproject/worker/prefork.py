"""Celery's prefork pool for less CPU a task, whose processes finish what they have begun when their worker stops.

A process is given one task at a time, when it is idle. So the pipe to it is empty then and is written to at once, a
small task in one piece. Celery has epoll say that the pipe can be written to, takes it out of epoll again, for each
process in each turn of its loop, and writes twice, which wakes the process twice.

A process tells that it begins a task, and the worker's event loop reads that later. Celery 5.7, when it stops, drops
each task of which it has not read so much yet ("they will be redelivered by the broker"), although the process carries
it out: its message is given back, and it runs twice. Here a task counts as begun once its process was given it.

Who is given what, time limits, and what becomes of the task of a process that ended are Celery's, unchanged.

Against celery 5.7.0 and billiard 4.3.2, whose internals it overrides; its test fails when the requirements bring
others.
"""

import pickle
from collections.abc import Callable
from itertools import islice
from select import PIPE_BUF
from typing import Any

from billiard.pool import RUN
from celery import bootsteps
from celery.concurrency import asynpool, prefork

from waproject.worker.pool_ipc import HEADER, ResultHandler, Worker

SEEN_AGAIN_S = 0.02


class Prefork(bootsteps.StartStopStep):
    """For `app.steps["worker"]`: this pool in the place of Celery's prefork pool; other pools stay what they are."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        # All steps are made before the first of them makes anything.
        if worker.pool_cls is prefork.TaskPool:
            worker.pool_cls = TaskPool
        super().__init__(worker, **kwargs)

    def close(self, worker: Any) -> None:
        """Called on SIGTERM, between the last turn of the event loop and the pool's being emptied."""
        pool = getattr(worker.pool, "_pool", None)
        if isinstance(pool, Pool):
            pool.keep_begun()


class WritersHub:
    """The event loop, as that part of Celery's pool sees it which writes to processes."""

    def __init__(self, hub: Any) -> None:
        self._hub = hub
        self.add, self.add_writer, self.remove = hub.add, hub.add_writer, hub.remove
        # Celery's function that gives each of some processes a job; the event loop itself is not to call it.
        self.consolidate_callback: Callable[[list[int]], None]

    def remove_writer(self, fd: int) -> None:
        """Celery does so after each job, whether or not it waited for the pipe: that would cost a system call."""
        if fd in self._hub.writers:
            self._hub.remove_writer(fd)


class Pool(asynpool.AsynPool):  # type: ignore[misc]
    """The pool itself. Pipes to processes are called by their file descriptors, as in Celery's code."""

    Worker = Worker
    ResultHandler = ResultHandler

    def _create_write_handlers(self, hub: Any, *args: Any, **kwargs: Any) -> None:
        """Called when the event loop begins."""
        writers = WritersHub(hub)
        super()._create_write_handlers(writers, *args, **kwargs)
        self._give_jobs_to = writers.consolidate_callback
        self._quick_put, self.on_poll_start = self._put, self._each_turn

    def _put(self, message: Any) -> None:
        """Have a job wait for the next idle process. A small one is one write, which wakes the process once."""
        body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        header = HEADER.pack(len(body))
        job = self._cache[message[1][0]]
        if len(header) + len(body) <= PIPE_BUF:  # a pipe takes all of it, or nothing
            job._payload = memoryview(header + body), memoryview(b""), 0
        else:
            job._payload = memoryview(header), memoryview(body), len(body)
        self.outbound_buffer.append(job)

    def _each_turn(self) -> None:
        """Called in each turn of the event loop, before it sleeps: a job for each idle process."""
        waiting = -1
        # Celery passes over a job that was begun elsewhere; nothing would wake the loop for the one behind it.
        while self.outbound_buffer and len(self.outbound_buffer) != waiting:
            waiting = len(self.outbound_buffer)
            idle = self._all_inqueues.difference(self._busy_workers, self._active_writes)
            self._give_jobs_to(list(islice(idle, waiting)))

    def keep_begun(self) -> None:
        """Before the pool is emptied: wait for every job of which a process was given a part, or the whole."""
        for job in tuple(self._cache.values()):
            if job._write_to is None or job._accepted or job in self.outbound_buffer:
                continue
            writer = getattr(job, "_writer", lambda: None)()
            if writer in self._active_writers:  # a large one, of which the pipe took a part
                self._flush_writer(job._write_to, writer)
            # What the process says of it later sets this as well, and the time and process beside it.
            job._accepted = True

    def _event_process_exit(self, hub: Any, process: Any) -> None:
        """A process's pipes close a moment before its end can be seen; Celery would look again after up to 5 s."""
        super()._event_process_exit(hub, process)
        if process in self._pool and self._state == RUN:
            hub.call_later(SEEN_AGAIN_S, self._event_process_exit, hub, process)


class TaskPool(prefork.TaskPool):  # type: ignore[misc]
    """What Celery calls a pool."""

    Pool = Pool
