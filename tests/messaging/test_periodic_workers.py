"""Periodic workers: a slow or failing one does not affect the others."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection

from messaging.periodic_workers import PeriodicWorker, WorkerLoop
from testkit.no_new_threads import no_new_threads
from tests.messaging.slow_statement import take_too_long
from tests.waiting import PATIENCE_S, eventually


class Rows:
    """Rows to claim once each, and the recorded outcomes."""

    def __init__(self, *rows: str) -> None:
        self.waiting = list(rows)
        self.recorded: list[str] = []
        self.outages = 0

    def claim(self, limit: int) -> Sequence[str]:
        claimed, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return claimed

    def record(self, outcomes: Sequence[str]) -> None:
        if self.outages:
            self.outages -= 1
            raise OperationalError
        self.recorded += outcomes


def worker(
    rows: Rows, work: Callable[[str], str] = str.upper, threads: int = 2, **more: Any
) -> PeriodicWorker[str, str]:
    return PeriodicWorker("test", rows.claim, work, rows.record, threads, idle_s=0.02, **more)


@contextmanager
def running(*workers: PeriodicWorker[str, str]) -> Iterator[WorkerLoop]:
    """The loop of these workers, in a thread."""
    loop = WorkerLoop(workers)
    thread = threading.Thread(target=loop.run)
    thread.start()
    yield loop
    loop.stop()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_all_jobs_are_processed_and_recorded() -> None:
    rows = Rows("a", "b", "c", "d", "e")
    with running(worker(rows)):
        assert eventually(lambda: sorted(rows.recorded) == ["A", "B", "C", "D", "E"])


def test_each_job_is_done_and_recorded_once_also_where_the_system_has_no_thread_left() -> None:
    rows, done, go = Rows(), list[str](), threading.Event()

    def work(row: str) -> str:
        assert go.wait(PATIENCE_S)
        done.append(row)
        return row

    with running(worker(rows, work, threads=3)), no_new_threads():
        rows.waiting = ["a", "b", "c", "d", "e"]
        assert eventually(lambda: rows.waiting == ["d", "e"], every=0.01)
        go.set()
        assert eventually(lambda: len(rows.recorded) == 5)
        assert (sorted(done), sorted(rows.recorded)) == (["a", "b", "c", "d", "e"], ["a", "b", "c", "d", "e"])


def test_a_worker_claims_one_job_per_free_thread() -> None:
    rows, go = Rows("a", "b", "c"), threading.Event()
    with running(worker(rows, lambda _: str(go.wait(PATIENCE_S)))):
        assert eventually(lambda: rows.waiting == ["c"])
        go.set()


def test_a_slow_worker_does_not_delay_another() -> None:
    slow, quick, go = Rows("a", "b", "c"), Rows("d"), threading.Event()
    with running(worker(slow, lambda _: str(go.wait(PATIENCE_S))), worker(quick)):
        assert eventually(lambda: quick.recorded == ["D"])
        go.set()


def test_a_failing_job_is_logged_without_its_text_and_does_not_affect_others(caplog: pytest.LogCaptureFixture) -> None:
    def work(row: str) -> str:
        if row == "bad":
            raise ValueError("quotes a message")
        return row

    rows = Rows("bad", "good")
    with running(worker(rows, work)):
        assert eventually(lambda: rows.recorded == ["good"])
    assert "ValueError" in caplog.text and "quotes a message" not in caplog.text


def test_a_failing_claim_does_not_keep_another_worker_from_its_work() -> None:
    def claim(limit: int) -> Sequence[str]:
        raise ZeroDivisionError

    rows = Rows("a")
    with running(PeriodicWorker("broken", claim, str, lambda _: None, 1), worker(rows)):
        assert eventually(lambda: rows.recorded == ["A"])


@pytest.mark.django_db(transaction=True)
def test_a_claim_that_takes_too_long_does_not_keep_another_worker_from_its_work() -> None:
    def claim(limit: int) -> Sequence[str]:
        try:
            take_too_long()
        finally:
            connection.close()
        return ()

    rows = Rows("a")
    with running(PeriodicWorker("slow", claim, str, lambda _: None, 1), worker(rows)):
        assert eventually(lambda: rows.recorded == ["A"])


@pytest.mark.django_db
def test_an_outcome_is_kept_during_a_database_outage() -> None:
    rows = Rows("a")
    rows.outages = 2
    with running(worker(rows)):
        assert eventually(lambda: rows.recorded == ["A"])


def test_running_jobs_are_finished_and_recorded_after_stop() -> None:
    rows, begun, go = Rows("a", "b", "c"), threading.Event(), threading.Event()

    def work(row: str) -> str:
        begun.set()
        go.wait(PATIENCE_S)
        return row

    with running(worker(rows, work, threads=1)) as loop:
        begun.wait(PATIENCE_S)
        loop.stop()
        go.set()
    assert (rows.recorded, rows.waiting) == (["a"], ["b", "c"])


def test_housekeeping_runs_as_soon_as_it_asks_for() -> None:
    runs: list[int] = []

    def keep_house() -> float:
        runs.append(1)
        return 0.02

    with running(worker(Rows(), housekeeping=keep_house)):
        assert eventually(lambda: len(runs) >= 2)


@pytest.mark.parametrize("woken_after_s", [0.05, 0.2, 0.249])
def test_a_loop_that_was_woken_early_still_claims_on_time(
    woken_after_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    loop = WorkerLoop([PeriodicWorker("test", lambda _: (), str, lambda _: None, 1, idle_s=0.25)])
    loop._step()
    now[0] += woken_after_s
    assert loop._step() == pytest.approx(0.25 - woken_after_s)
