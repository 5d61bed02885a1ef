"""The prefork pool with real processes that are killed, hang, and exchange large messages."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import pytest
from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from billiard.pool import CLOSE
from celery.concurrency import asynpool, prefork, thread
from kombu.asynchronous import Hub

from tests.waiting import PATIENCE_S
from waproject.celery import app
from waproject.worker.prefork import Pool, Prefork, TaskNotPicklable, TaskPool

LARGE = 300_000  # bytes: several times what a pipe takes


class Running:
    """A pool in an event loop, and the results of its jobs."""

    def __init__(self, processes: int) -> None:
        self.hub = Hub()
        self.pool = Pool(processes, threads=False, enable_timeouts=True)
        self.pool.register_with_event_loop(self.hub)
        self.hub.call_repeatedly(0.05, lambda: None)
        self.begun: dict[str, int] = {}
        self.ended: dict[str, Any] = {}
        assert self.until(lambda: len(self.pool._all_inqueues) == processes)

    def give(self, name: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """A job of this name, which is begun once and ends once."""

        def begun(pid: int, at: float) -> None:
            self.begun[name] = pid

        def ended(outcome: Any) -> None:
            assert name not in self.ended
            error = getattr(outcome, "exception", outcome)
            self.ended[name] = getattr(error, "exc", error)

        return self.pool.apply_async(
            function, arguments, accept_callback=begun, callback=ended, error_callback=ended, **options
        )

    def until(self, condition: Callable[[], object], seconds: float = PATIENCE_S) -> bool:
        """Turn the event loop until this holds."""
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            self.hub.run_once()
        return bool(condition())

    def signal(self, number: int, place: int = 0) -> None:
        """To one of the processes."""
        os.kill(self.pool._pool[place].pid, number)


@contextmanager
def running(processes: int = 1) -> Iterator[Running]:
    """A pool that is ended with the test."""
    it = Running(processes)
    try:
        yield it
    finally:
        for process in it.pool._pool:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)  # a SIGTERM would take a second
        it.pool.terminate()
        it.pool.join()
        it.hub.close()


def echo(value: Any) -> Any:
    return value


def hang(seconds: float = 60.0) -> None:
    time.sleep(seconds)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_each_of_many_jobs_is_done_once() -> None:
    with running(processes=2) as it:
        for n in range(300):
            it.give(str(n), echo, n)
        assert it.until(lambda: len(it.ended) == 300)
        assert it.ended == {str(n): n for n in range(300)}
        assert not it.pool._cache


@pytest.mark.parametrize("cause", ["unpicklable", "too deep"])
def test_a_job_that_cannot_be_pickled_fails_alone(cause: str) -> None:
    argument: Any = test_a_job_that_cannot_be_pickled_fails_alone.__code__
    for _ in range(490 if cause == "too deep" else 0):
        argument = [argument]
    with running() as it:
        it.give("before", echo, 1)
        it.give("bad", echo, argument)
        it.give("after", echo, 2)
        assert it.until(lambda: len(it.ended) == 3)
        assert isinstance(it.ended.pop("bad"), TaskNotPicklable)
        assert (it.ended, it.pool._cache) == ({"before": 1, "after": 2}, {})


def test_a_process_has_one_job_at_a_time() -> None:
    with running() as it:
        it.give("first", hang)
        it.give("second", hang)
        assert it.until(lambda: it.begun)
        assert not it.until(lambda: len(it.begun) > 1, 0.2)
        assert it.begun == {"first": it.pool._pool[0].pid}


def test_large_jobs_and_large_answers_arrive_whole() -> None:
    with running() as it:
        for name in "abc":
            it.give(name, echo, name * LARGE)
        assert it.until(lambda: len(it.ended) == 3)
        assert it.ended == {name: name * LARGE for name in "abc"}
        assert set(it.begun) == set("abc")


def test_a_job_that_kills_its_process_affects_no_other_job() -> None:
    with running(processes=2) as it:
        it.give("long", hang, 0.5)
        it.give("deadly", die)
        it.give("waiting", echo, 1)
        assert it.until(lambda: len(it.ended) == 3)
        assert isinstance(it.ended.pop("deadly"), WorkerLostError)
        assert it.ended == {"long": None, "waiting": 1}


def test_an_unread_job_of_a_killed_process_is_run_by_another() -> None:
    with running() as it:
        it.signal(signal.SIGSTOP)
        dead = it.pool._pool[0].pid
        it.give("unread", echo, 1)
        assert it.until(lambda: it.pool._busy_workers and not it.pool._active_writes)
        it.signal(signal.SIGKILL)
        assert it.until(lambda: it.ended == {"unread": 1})
        assert it.begun["unread"] != dead


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_partly_written_job_is_run_whether_or_not_its_process_lives(goes_on: bool) -> None:
    with running() as it:
        it.signal(signal.SIGSTOP)
        it.give("large", echo, "x" * LARGE)
        assert it.until(lambda: it.pool._active_writes)
        it.signal(signal.SIGCONT if goes_on else signal.SIGKILL)
        assert it.until(lambda: it.ended == {"large": "x" * LARGE})


def test_a_time_limit_ends_its_own_job_only() -> None:
    with running(processes=2) as it:
        it.give("neighbour", hang, 0.8)
        it.give("hangs", hang, timeout=0.3)
        it.give("waiting", echo, 1)
        assert it.until(lambda: len(it.ended) == 3)
        assert isinstance(it.ended.pop("hangs"), TimeLimitExceeded)
        assert it.ended == {"neighbour": None, "waiting": 1}


def test_a_time_limit_does_not_count_while_a_job_waits_for_a_process() -> None:
    with running() as it:
        it.give("first", hang, 3.0)
        it.give("second", echo, 1, timeout=2.0)
        assert it.until(lambda: len(it.ended) == 2)
        assert it.ended == {"first": None, "second": 1}


def stopped(it: Running) -> None:
    """Stop as a worker does, until its processes have ended."""
    it.pool.close()
    Prefork(SimpleNamespace(pool_cls=None)).close(SimpleNamespace(pool=SimpleNamespace(_pool=it.pool)))
    it.pool.flush()
    it.pool.join()


def test_a_stopping_worker_finishes_assigned_jobs_and_drops_the_rest() -> None:
    with running() as it:
        it.signal(signal.SIGSTOP)
        it.give("given", hang, 0.3)
        it.give("waiting", echo, 1)
        assert it.until(lambda: it.pool._busy_workers)
        assert not it.begun
        it.signal(signal.SIGCONT)
        stopped(it)
        assert it.ended == {"given": None}


def test_a_stopping_worker_finishes_writing_a_partly_written_job() -> None:
    with running() as it:
        it.signal(signal.SIGSTOP)
        it.give("large", echo, "x" * LARGE)
        assert it.until(lambda: it.pool._active_writes)
        it.signal(signal.SIGCONT)
        stopped(it)
        assert it.ended == {"large": "x" * LARGE}


def test_a_process_that_waitpid_does_not_see_end_yet_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    with running() as it:
        process = it.pool._pool[0]
        monkeypatch.setattr(asynpool.AsynPool, "_event_process_exit", lambda _pool, _hub, one: seen.append(one))
        it.pool._event_process_exit(it.hub, process)
        assert it.until(lambda: len(seen) > 2)
    assert all(one is process for one in seen)


@pytest.mark.parametrize("ended", ["left the pool", "closing"])
def test_a_process_is_not_looked_at_again(ended: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    with running() as it:
        process = it.pool._pool[0]
        monkeypatch.setattr(asynpool.AsynPool, "_event_process_exit", lambda _pool, _hub, one: seen.append(one))
        if ended == "closing":
            monkeypatch.setattr(it.pool, "_state", CLOSE)
        it.pool._event_process_exit(it.hub, process if ended == "closing" else object())
        assert not it.until(lambda: len(seen) > 1, 0.3)


def test_the_pipelines_workers_use_this_pool() -> None:
    assert "waproject.worker.prefork:Prefork" in app.steps["worker"]


@pytest.mark.parametrize(("pool", "used"), [(prefork.TaskPool, TaskPool), (thread.TaskPool, thread.TaskPool)])
def test_the_pool_replaces_only_celerys_prefork_pool(pool: type, used: type) -> None:
    worker = SimpleNamespace(pool_cls=pool)
    Prefork(worker)
    assert worker.pool_cls is used
