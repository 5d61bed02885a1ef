"""The main loop survives what its steps raise, and ends on request."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import Mock

import pytest
from django.db import InterfaceError, OperationalError

from tests.waiting import PATIENCE_S, eventually
from waproject.worker import main_loop
from waproject.worker.main_loop import MainLoop


class Steps:
    """Counts its calls; raises `error` if there is one."""

    def __init__(self, wait: float = 0.0, error: Exception | None = None) -> None:
        self.calls, self.wait, self.error = 0, wait, error

    def __call__(self) -> float:
        self.calls += 1
        if self.error:
            raise self.error
        return self.wait


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Stands for the database connection of the loop's thread."""
    fake = Mock()
    monkeypatch.setattr(main_loop, "connection", fake)
    return fake


@contextmanager
def running(loop: MainLoop, run: Callable[[], None] | None = None) -> Iterator[threading.Thread]:
    """The loop, in a thread that ends with the block."""
    thread = threading.Thread(target=run or loop.run)
    thread.start()
    try:
        yield thread
    finally:
        loop.stop()
        thread.join(PATIENCE_S)
    assert not thread.is_alive()


@pytest.mark.parametrize("error", [OperationalError("away"), InterfaceError("closed"), ValueError("a bug")])
def test_the_loop_survives_an_error(error: Exception, connection: Mock) -> None:
    steps = Steps(error=error)
    with running(MainLoop("test", steps, error_wait_s=0.01)):
        assert eventually(lambda: steps.calls >= 3)


@pytest.mark.parametrize(("error", "closes"), [(OperationalError("away"), True), (ValueError("a bug"), False)])
def test_only_a_database_error_closes_the_connection_and_is_an_outage(
    error: Exception, closes: bool, connection: Mock
) -> None:
    steps, outages = Steps(error=error), Mock()
    with running(MainLoop("test", steps, error_wait_s=0.01, on_outage=outages)):
        assert eventually(lambda: steps.calls >= 2)
    assert (connection.close.called, outages.called) == (closes, closes)


def test_the_text_of_a_database_error_is_not_logged(connection: Mock, caplog: pytest.LogCaptureFixture) -> None:
    steps = Steps(error=OperationalError("quotes a message"))
    with running(MainLoop("test", steps, error_wait_s=0.01)):
        assert eventually(lambda: steps.calls >= 2)
    assert "OperationalError" in caplog.text and "quotes a message" not in caplog.text


@pytest.mark.parametrize("error", [None, ValueError("a bug")])
def test_stop_ends_a_wait(error: Exception | None) -> None:
    steps = Steps(wait=3600, error=error)
    with running(MainLoop("test", steps, error_wait_s=3600)):
        assert eventually(lambda: steps.calls == 1)
    assert steps.calls == 1


def test_wake_begins_the_next_step_at_once() -> None:
    steps = Steps(wait=3600)
    loop = MainLoop("test", steps)
    with running(loop):
        assert eventually(lambda: steps.calls == 1)
        loop.wake()
        assert eventually(lambda: steps.calls == 2)


def test_a_wake_during_a_step_is_not_lost() -> None:
    calls: list[int] = []

    def step() -> float:
        calls.append(1)
        if len(calls) == 1:
            loop.wake()
        return 3600

    loop = MainLoop("test", step)
    with running(loop):
        assert eventually(lambda: len(calls) == 2)


def test_stop_before_the_start_makes_no_step() -> None:
    steps = Steps()
    loop = MainLoop("test", steps)
    loop.stop()
    loop.run()
    assert steps.calls == 0


def test_each_step_is_announced() -> None:
    steps, announced = Steps(), Mock()
    loop = MainLoop("test", steps)
    with running(loop, lambda: loop.run(announced)):
        assert eventually(lambda: announced.call_count >= 3)


def test_after_stop_the_loop_finishes_what_is_running() -> None:
    steps = Steps(wait=0.01)
    loop = MainLoop("test", steps)
    loop.stop()
    loop.run_while(lambda: steps.calls < 3, timeout=PATIENCE_S)
    assert steps.calls == 3


def test_finishing_ends_at_its_timeout() -> None:
    loop = MainLoop("test", Steps(wait=0.01))
    loop.run_while(lambda: True, timeout=0.05)


def test_finishing_announces_its_steps() -> None:
    steps, announced = Steps(wait=0.01), Mock()
    MainLoop("test", steps).run_while(lambda: steps.calls < 3, PATIENCE_S, announced)
    assert announced.call_count == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_loop_after_its_step(number: signal.Signals) -> None:
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    steps = Steps(wait=3600)
    loop = MainLoop("test", steps)
    loop.stop_on_signals()
    loop.run(lambda: os.kill(os.getpid(), number))
    for each, handler in before.items():
        signal.signal(each, handler)
    assert (loop.is_stopping, steps.calls) == (True, 1)


@pytest.mark.parametrize(("wait", "left"), [(5.0, 3.0), (2.0, 0.0), (1.0, 0.0)])
def test_the_time_of_a_step_counts_as_waited(wait: float, left: float, monkeypatch: pytest.MonkeyPatch) -> None:
    times, waited = iter([100.0, 102.0]), Mock()
    monkeypatch.setattr("waproject.worker.main_loop.time.monotonic", lambda: next(times))
    loop = MainLoop("test", Steps(wait=wait))
    waited.side_effect = lambda _: loop.stop()
    monkeypatch.setattr(loop._wake, "wait", waited)
    loop.run()
    waited.assert_called_once_with(left)


def test_a_loop_is_not_stopping_until_it_is_told_to() -> None:
    loop = MainLoop("test", Steps())
    assert loop.is_stopping is False


def test_a_failed_step_is_logged_with_the_loops_name(caplog: pytest.LogCaptureFixture) -> None:
    loop = MainLoop("dispatcher", Steps(error=ValueError()), on_outage=Mock(side_effect=AssertionError))
    loop.run(loop.stop)
    assert "a step of the dispatcher failed" in caplog.text
