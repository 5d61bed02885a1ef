"""A gate closes when a failure is reported, and opens when its probe succeeds."""

import multiprocessing
import time

import pytest

from testkit.no_new_threads import no_new_threads
from tests.waiting import PATIENCE_S, eventually
from waproject.sqs import gate as gates
from waproject.sqs.gate import Gate


class Server:
    """A dependency whose probe counts its calls."""

    def __init__(self) -> None:
        self.away = False
        self.asked = 0

    def __call__(self) -> None:
        self.asked += 1
        if self.away:
            raise OSError("away")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    """Asked in quick succession."""
    monkeypatch.setattr(gates, "PROBE_FIRST_S", 0.01)
    return Server()


def test_an_open_gate_does_not_probe(server: Server) -> None:
    gate = Gate("it", server)
    assert [gate.is_open() for _ in range(3)] == [True] * 3
    assert server.asked == 0


def test_a_reported_failure_closes_the_gate_until_the_probe_succeeds(server: Server) -> None:
    server.away = True
    gate = Gate("it", server)
    gate.report_failure()
    assert not gate.is_open()
    assert eventually(lambda: server.asked >= 2, every=0.01)
    assert not gate.is_open()
    server.away = False
    assert eventually(gate.is_open, every=0.01)


def test_a_transient_failure_closes_the_gate_until_the_next_probe(server: Server) -> None:
    gate = Gate("it", server)
    gate.report_failure()
    assert eventually(gate.is_open, every=0.01)


def test_a_gate_on_a_host_without_a_free_thread_opens_once_there_is_one(server: Server) -> None:
    gate = Gate("it", server)
    with no_new_threads():
        gate.probe_soon()
        gate.report_failure()
        assert [gate.is_open() for _ in range(2)] == [False, False]
    assert eventually(gate.is_open, every=0.01)


def test_probing_leaves_the_gate_open_if_the_probe_succeeds(server: Server) -> None:
    gate = Gate("it", server)
    gate.probe_soon()
    assert eventually(lambda: server.asked == 1, every=0.01)
    assert gate.is_open()


def test_probing_closes_the_gate_if_the_probe_fails(server: Server) -> None:
    server.away = True
    gate = Gate("it", server)
    gate.probe_soon()
    assert eventually(lambda: not gate.is_open(), every=0.01)
    server.away = False
    assert eventually(gate.is_open, every=0.01)


def test_a_gate_that_relapses_stays_closed_longer_each_time(server: Server) -> None:
    gate = Gate("it", server)
    closed = []
    for _ in range(5):
        gate.report_failure()
        began = time.monotonic()
        assert eventually(gate.is_open, every=0.001)
        closed.append(time.monotonic() - began)
    assert closed[4] > 0.01 * 2**4 / 2


def test_a_gate_that_closed_while_the_system_gave_no_thread_opens_once_it_does(server: Server) -> None:
    gate = Gate("it", server)
    gate.report_failure()
    with no_new_threads():
        assert [gate.is_open() for _ in range(3)] == [False] * 3
    assert eventually(gate.is_open, every=0.01)


def test_a_slow_task_while_the_system_gives_no_thread_neither_fails_nor_closes_the_gate(server: Server) -> None:
    gate = Gate("it", server)
    with no_new_threads():
        gate.probe_soon()
        assert gate.is_open()
    gate.probe_soon()
    assert eventually(lambda: server.asked == 1, every=0.01)


class Clock:
    """In place of `time`: passes only by hand, and notes every sleep."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The gate's clock."""
    clock = Clock()
    monkeypatch.setattr(gates, "time", clock)
    return clock


def fail_and_open_again(gate: Gate, clock: Clock, after: float) -> None:
    clock.now += after
    gate.report_failure()
    gate.is_open()
    assert eventually(gate.is_open, every=0.001)


@pytest.mark.parametrize(("after", "relapses"), [(59.9, 1), (60.1, 0)])
def test_a_gate_that_closes_again_within_a_minute_has_relapsed(after: float, relapses: int, clock: Clock) -> None:
    gate = Gate("it", lambda: None)
    fail_and_open_again(gate, clock, 0)
    fail_and_open_again(gate, clock, after)
    assert len(clock.slept) == relapses


def test_a_gate_that_keeps_relapsing_is_probed_after_a_minute_at_most(clock: Clock) -> None:
    gate = Gate("it", lambda: None)
    for _ in range(14):
        fail_and_open_again(gate, clock, 1)
    longest = [1, 2, 4, 8, 16, 32, *[60] * 7]
    assert [most / 2 <= slept <= most for slept, most in zip(clock.slept, longest, strict=True)] == [True] * 13


def test_workers_that_relapse_together_do_not_probe_together(clock: Clock) -> None:
    for _ in range(5):
        gate = Gate("it", lambda: None)
        fail_and_open_again(gate, clock, 0)
        fail_and_open_again(gate, clock, 1)
    assert len(set(clock.slept)) == 5


def test_a_forked_childs_report_closes_its_parents_gate(server: Server) -> None:
    server.away = True
    gate = Gate("it", server)
    child = multiprocessing.get_context("fork").Process(target=gate.report_failure)
    child.start()
    child.join(PATIENCE_S)
    assert not gate.is_open()
    server.away = False
    assert eventually(gate.is_open, every=0.01)
