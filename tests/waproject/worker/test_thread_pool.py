"""A pool whose system gives it no more threads does its jobs with those that it has."""

import threading

import pytest

from testkit.no_new_threads import no_new_threads
from tests.waiting import PATIENCE_S
from waproject.worker.thread_pool import ThreadPool


def test_jobs_without_a_thread_of_their_own_are_done_one_after_another_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pool, go = ThreadPool(4, "calls"), threading.Event()
    with no_new_threads():
        futures = [pool.submit(lambda n: (go.wait(PATIENCE_S), n)[1], n) for n in range(3)]
        go.set()
        assert [future.result(PATIENCE_S) for future in futures] == [0, 1, 2]
    assert caplog.text.count("jobs of calls wait") == 1
    pool.shutdown()


def test_jobs_have_threads_of_their_own_again_once_there_are_some() -> None:
    pool, together = ThreadPool(3, "calls"), threading.Barrier(2, timeout=PATIENCE_S)
    with no_new_threads():
        pool.submit(int).result(PATIENCE_S)
    futures = [pool.submit(together.wait) for _ in range(2)]
    assert sorted(future.result(PATIENCE_S) for future in futures) == [0, 1]
    pool.shutdown()


def test_a_job_s_exception_is_that_of_its_future() -> None:
    pool = ThreadPool(1, "calls")
    with pytest.raises(ZeroDivisionError):
        pool.submit(divmod, 1, 0).result(PATIENCE_S)
    pool.shutdown()


def test_a_pool_without_a_single_thread_is_not_made() -> None:
    with no_new_threads(), pytest.raises(RuntimeError):
        ThreadPool(1, "calls")
