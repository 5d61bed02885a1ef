"""Periodic workers: rows claimed with a lease, processed in threads, recorded in bulk.

The loop's own thread claims rows with a lease and records the outcomes, so that a process needs one database connection
however many threads it has. The threads do the slow part (a request, a download) and never touch the database. A killed
process leaves leases behind: once they run out, the next claim takes those rows again. Any number of processes may run.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import InterfaceError, OperationalError

from waproject.worker.main_loop import MainLoop

logger = logging.getLogger(__name__)

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")

# How long a worker claims nothing after an exception.
ERROR_WAIT_S = 1.0
# The interval of a housekeeping that returns None.
HOUSEKEEPING_EVERY_S = 60.0
# How long a stopping process waits for its threads; another process repeats what is not finished by then.
DRAIN_S = 25.0


@dataclass(frozen=True, slots=True)
class PeriodicWorker(Generic[Job, Outcome]):
    """One kind of work.

    claim(limit) returns at most `limit` jobs whose rows it has leased and committed (FOR UPDATE SKIP LOCKED).
    work(job) runs in a thread, without the database. Its exceptions are logged by type alone and leave the job to its
    lease, so it should return an outcome for every failure that it expects.
    record(outcomes) stores outcomes. After a database failure it is called again with the same ones, so it must ignore
    those whose rows another process has claimed since.
    housekeeping() returns the seconds until its next call; None: HOUSEKEEPING_EVERY_S.
    """

    name: str
    claim: Callable[[int], Sequence[Job]]
    work: Callable[[Job], Outcome]
    record: Callable[[Sequence[Outcome]], None]
    # Jobs at once in one process.
    threads: int
    # The pause after a claim that found nothing.
    idle_s: float = 0.25
    housekeeping: Callable[[], float | None] | None = None


class WorkerLoop:
    """Runs periodic workers until `stop`."""

    def __init__(self, workers: Sequence[PeriodicWorker[Any, Any]]) -> None:
        self._loop = MainLoop("deliver", self._step)
        self._pools = [_WorkerThreads(worker, self._loop.wake) for worker in workers]
        self._idle_s = min((worker.idle_s for worker in workers), default=1.0)

    def stop_on_signals(self) -> None:
        """Stop at SIGTERM or SIGINT."""
        self._loop.stop_on_signals()

    def stop(self) -> None:
        """Claim nothing more, and end once the jobs in the threads are finished and recorded."""
        self._loop.stop()

    def run(self, each_tick: Callable[[], None] = lambda: None) -> None:
        """Run until `stop`, calling `each_tick` every time. Survives database outages."""
        self._loop.run(each_tick)
        self._loop.run_while(self._is_busy, DRAIN_S, each_tick)
        for pool in self._pools:
            pool.close()

    def _is_busy(self) -> bool:
        return any(pool.is_busy() for pool in self._pools)

    def _step(self) -> float:
        """Step each worker; seconds until one has to act. A failed one does not stop the others."""
        began = time.monotonic()
        for pool in self._pools:
            try:
                pool.step(claims=not self._loop.is_stopping)
            except (OperationalError, InterfaceError):
                raise
            except Exception as error:  # the process's edge; the error's text may quote a message
                logger.error("worker %s failed: %s", pool.name, type(error).__name__)
                pool.pause()
        acts_at = [at for pool in self._pools for at in pool.acts_at() if at > began]
        return min([self._idle_s, *(at - began for at in acts_at)])


class _WorkerThreads:
    """The threads of one worker, their running jobs, and the outcomes that are not recorded yet."""

    def __init__(self, worker: PeriodicWorker[Any, Any], wake: Callable[[], None]) -> None:
        self._worker, self._wake = worker, wake
        self._threads = ThreadPoolExecutor(worker.threads, thread_name_prefix=worker.name)
        self._running: set[Future[Any]] = set()
        self._outcomes: list[Any] = []
        self._next_claim = self._next_housekeeping = 0.0

    @property
    def name(self) -> str:
        """The worker's name."""
        return self._worker.name

    def step(self, claims: bool) -> None:
        """Record finished jobs, then claim one job per free thread."""
        self._collect()
        if self._outcomes:
            self._worker.record(self._outcomes)
            self._outcomes = []
        if claims:
            self._claim()
            self._run_housekeeping()

    def is_busy(self) -> bool:
        """Whether a job is running or not recorded yet."""
        return bool(self._running or self._outcomes)

    def acts_at(self) -> tuple[float, float]:
        """When the next claim and the next housekeeping are due; a time that has passed waits for a job to end."""
        return self._next_claim, self._next_housekeeping

    def pause(self) -> None:
        """After an exception in `claim` or `record`: drop the outcomes at fault, and claim nothing for a while."""
        self._outcomes = []
        self._next_claim = time.monotonic() + ERROR_WAIT_S

    def close(self) -> None:
        """Leave running jobs to their leases."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _collect(self) -> None:
        done = {future for future in self._running if future.done()}
        self._running -= done
        for future in done:
            error = future.exception()
            if error is None:
                self._outcomes.append(future.result())
            else:
                logger.error("a job of worker %s failed: %s", self.name, type(error).__name__)

    def _claim(self) -> None:
        now = time.monotonic()
        free = self._worker.threads - len(self._running)
        if free <= 0 or now < self._next_claim:
            return
        jobs = self._worker.claim(free)
        if not jobs:
            self._next_claim = now + self._worker.idle_s
        for job in jobs:
            future = self._threads.submit(self._worker.work, job)
            self._running.add(future)
            future.add_done_callback(lambda _: self._wake())

    def _run_housekeeping(self) -> None:
        now = time.monotonic()
        if self._worker.housekeeping is not None and now >= self._next_housekeeping:
            self._next_housekeeping = now + HOUSEKEEPING_EVERY_S
            wait = self._worker.housekeeping()
            if wait is not None:
                self._next_housekeeping = time.monotonic() + wait
