"""Periodic workers: rows claimed with a lease, processed in threads, recorded in bulk.

A round claims rows with a lease, its threads do what takes long (a request, a download), and the outcomes are written
down. Claims and outcomes belong to the loop's own thread, so a process needs one database connection however many
threads it has; a thread's work never touches the database. A process that is killed leaves leases behind: when they
run out, whoever claims next does the work again. Any number of processes may run.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")

DATABASE_WAIT_S = 1.0
# How long an ending process waits for the work in its threads; what is not done by then is done again elsewhere.
DRAIN_S = 25.0


@dataclass(frozen=True, slots=True)
class Round(Generic[Job, Outcome]):
    """One kind of work, for a table of rounds.

    claim(most) returns at most so many jobs whose rows it has leased, committed: FOR UPDATE SKIP LOCKED inside.
    work(job) is called in a thread and does not use the database. What it raises is logged by its type alone, and
    the job is left to its lease; so it should return an outcome for all that can go wrong.
    record(outcomes) writes down what came of jobs. It is called again with the same ones when the database is away,
    so it has to ignore those that another process has claimed since.
    tidy() is called every `tidy_every_s` seconds.
    """

    name: str
    claim: Callable[[int], Sequence[Job]]
    work: Callable[[Job], Outcome]
    record: Callable[[Sequence[Outcome]], None]
    # Threads: jobs at once in one process.
    at_once: int
    # After a claim that found nothing, how long until the next.
    idle_s: float = 0.25
    tidy: Callable[[], None] | None = None
    tidy_every_s: float = 60.0


class Rounds:
    """Makes the rounds until it is told to stop."""

    def __init__(self, rounds: Sequence[Round[Any, Any]]) -> None:
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._crews = [_Crew(one, self._wake) for one in rounds]
        self._idle_s = min((one.idle_s for one in rounds), default=1.0)

    def stop_on_signals(self) -> None:
        """End at SIGTERM or SIGINT, once what is under way is done."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())

    def stop(self) -> None:
        """Claim nothing more."""
        self._stopping.set()
        self._wake.set()

    def run(self, each_tick: Callable[[], None] = lambda: None) -> None:
        """Work, calling `each_tick` every time; outlive a database that goes away and comes back."""
        logger.info("deliver is ready")
        while not self._stopping.is_set():
            each_tick()
            if not self._step():
                self._stopping.wait(DATABASE_WAIT_S)
            self._wake.wait(self._idle_s)
            self._wake.clear()
        self._drain(each_tick)

    def _step(self, claims: bool = True) -> bool:
        """Whether the database was there. Each round has its own guard: one that fails keeps no other from its work."""
        for crew in self._crews:
            try:
                crew.step(claims)
            except (OperationalError, InterfaceError) as error:
                logger.warning("the database is away: %s", type(error).__name__)
                connection.close()
                return False
            except Exception as error:  # the process's edge; its words may quote a message
                logger.error("the round %s failed: %s", crew.name, type(error).__name__)
                crew.rest()
        return True

    def _drain(self, each_tick: Callable[[], None]) -> None:
        deadline = time.monotonic() + DRAIN_S
        while any(crew.is_busy() for crew in self._crews) and time.monotonic() < deadline:
            each_tick()
            self._step(claims=False)
            self._wake.wait(self._idle_s)
            self._wake.clear()
        for crew in self._crews:
            crew.close()


class _Crew:
    """The threads of one round, what they work on, and what is not written down yet."""

    def __init__(self, made: Round[Any, Any], wake: threading.Event) -> None:
        self._round, self._wake = made, wake
        self._pool = ThreadPoolExecutor(made.at_once, thread_name_prefix=made.name)
        self._running: set[Future[Any]] = set()
        self._outcomes: list[Any] = []
        self._next_claim = self._next_tidy = 0.0

    @property
    def name(self) -> str:
        """The round's."""
        return self._round.name

    def step(self, claims: bool) -> None:
        """Write down what is done, then claim as much as there are free threads."""
        self._gather()
        if self._outcomes:
            self._round.record(self._outcomes)
            self._outcomes = []
        if claims:
            self._claim()
            self._tidy()

    def is_busy(self) -> bool:
        """Whether something is under way or not written down."""
        return bool(self._running or self._outcomes)

    def rest(self) -> None:
        """After a failure of the code: no more of what failed, and not at once."""
        self._outcomes = []
        self._next_claim = time.monotonic() + DATABASE_WAIT_S

    def close(self) -> None:
        """Leave what is still under way to its lease."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _gather(self) -> None:
        done = {future for future in self._running if future.done()}
        self._running -= done
        for future in done:
            error = future.exception()
            if error is None:
                self._outcomes.append(future.result())
            else:
                logger.error("work of the round %s failed: %s", self.name, type(error).__name__)

    def _claim(self) -> None:
        now = time.monotonic()
        room = self._round.at_once - len(self._running)
        if room <= 0 or now < self._next_claim:
            return
        jobs = self._round.claim(room)
        if not jobs:
            self._next_claim = now + self._round.idle_s
        for job in jobs:
            future = self._pool.submit(self._round.work, job)
            self._running.add(future)
            future.add_done_callback(lambda _: self._wake.set())

    def _tidy(self) -> None:
        now = time.monotonic()
        if self._round.tidy is not None and now >= self._next_tidy:
            self._next_tidy = now + self._round.tidy_every_s
            self._round.tidy()
