"""Celery's prefork pool for a good deal less CPU a task, and with what a stopping worker's processes do not lose.

A process is given one task at a time, when it is idle. So
- the worker knows when a task begins: when its process has been given it. Celery has each process say so, in a message
  of its own. And when Celery 5.7 stops, it drops each task of which it has not read so much yet ("they will be
  redelivered by the broker"), although the process carries it out: its message is given back, and it runs twice;
- the pipe to a process that is to get a task is empty: it is written to at once. Celery has epoll say that it can be,
  and takes each pipe out of epoll again in each turn of its loop.

What a task may do to its neighbours is as before. A time limit counts from when the process was given the task. One
that lies unread in the pipe of a process that ended was not begun: another process gets it (`forget_unread`).

Against celery 5.7.0 and billiard 4.3.2, whose internals it overrides; tests/waproject/test_prefork.py tells when the
requirements bring others.
"""

import fcntl
import pickle
import termios
from array import array
from collections.abc import Callable, Iterable
from select import PIPE_BUF
from time import monotonic
from typing import Any

from billiard.pool import ACK, RUN
from celery import bootsteps
from celery.concurrency import asynpool, prefork

from waproject.pool_answers import HEADER, ResultHandler, Worker

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
            pool.note_begun()


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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Large jobs of which a pipe has taken a part, by pipe.
        self._partly: dict[int, Any] = {}
        super().__init__(*args, **kwargs)

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
        """Called in each turn of the event loop, before it sleeps: jobs for idle processes."""
        for fd in [fd for fd in self._partly if fd not in self._active_writes]:
            self._note(self._partly.pop(fd))
        if not self.outbound_buffer:
            return
        for fd in self._all_inqueues.difference(self._busy_workers, self._active_writes):
            if not self.outbound_buffer:
                return
            job, process = self.outbound_buffer[0], self._fileno_to_inq.get(fd)
            self._give_jobs_to([fd])
            if fd in self._active_writes:
                self._partly[fd] = job
            elif job._write_to is process:
                self._note(job)

    def _note(self, job: Any) -> None:
        """What its process would have told: that it has the job, and begins."""
        process = job._write_to
        if process is not None and not job._accepted:
            tell = self._result_handler.state_handlers[ACK]
            tell(job._job, None, monotonic(), process.pid, process.synqW_fd)

    def note_begun(self) -> None:
        """Before the pool is emptied: wait for every job of which a process was given a part, or the whole."""
        for job in tuple(self._cache.values()):
            if job._write_to is None or job._accepted or job in self.outbound_buffer:
                continue
            writer = getattr(job, "_writer", lambda: None)()
            if writer in self._active_writers:
                self._flush_writer(job._write_to, writer)
            self._note(job)

    def _event_process_exit(self, hub: Any, process: Any) -> None:
        """A process's pipes close a moment before its end can be seen; Celery would look again after up to 5 s."""
        super()._event_process_exit(hub, process)
        if process in self._pool and self._state == RUN:
            hub.call_later(SEEN_AGAIN_S, self._event_process_exit, hub, process)

    def process_flush_queues(self, process: Any) -> None:
        """Called for a process that ended, before it is seen what becomes of its job."""
        job = self._partly.pop(process.inqW_fd, None)
        if job is not None and process.inqW_fd not in self._active_writes:
            self._note(job)
        super().process_flush_queues(process)
        forget_unread(self._cache.values(), process)


def forget_unread(jobs: Iterable[Any], process: Any) -> None:
    """Take a job of this process, which ended, for not begun where it lies in the pipe, whole."""
    unread = unread_bytes(process)
    for job in jobs:
        if job._write_to is process and job._accepted and not job.ready() and unread >= size_of(job):
            if job._on_timeout_cancel:
                job._on_timeout_cancel(job)
            job._accepted, job._worker_pid, job._time_accepted = False, None, None


def size_of(job: Any) -> int:
    """What a pool writes to a process for it, in bytes."""
    header, _, body_size = job._payload
    return len(header) + int(body_size)


def unread_bytes(process: Any) -> int:
    """How much of what was written to a process lies in its pipe, of which the worker has the reading end open too."""
    count = array("i", [0])
    try:
        fcntl.ioctl(process.inq._reader.fileno(), termios.FIONREAD, count)
    except OSError:  # its pipes are closed
        return 0
    return count[0]


class TaskPool(prefork.TaskPool):  # type: ignore[misc]
    """What Celery calls a pool."""

    Pool = Pool
