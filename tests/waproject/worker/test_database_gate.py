"""The database gate closes for a database that is away, and for nothing else; its probe has a deadline."""

import select
import time
from types import SimpleNamespace
from typing import Any

import psycopg2
import pytest
from django.db import InterfaceError, OperationalError, connection
from django.db.utils import DataError, InternalError
from psycopg2 import errors, extensions

from testkit.silent_proxy import SilentProxy
from tests.waiting import eventually
from waproject.sqs.gate import Gate
from waproject.worker import database_gate, database_probe


def caused(error: Exception, cause: psycopg2.Error | None) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (caused(OperationalError("refused"), psycopg2.OperationalError("refused")), True),
        (InterfaceError("connection already closed"), True),
        (OperationalError("without a cause"), True),
        (DataError("too long"), False),
        (InternalError("a bug of ours"), False),
        (ValueError("a bug of ours"), False),
        (None, False),
    ],
)
def test_errors_of_an_unavailable_database_are_recognised(error: Exception | None, away: bool) -> None:
    assert database_gate.is_database_unavailable(error) == away


@pytest.mark.parametrize(
    ("state", "kind", "away"),
    [
        ("57P01", OperationalError, True),
        ("57P03", OperationalError, True),
        ("57P02", OperationalError, True),
        ("53300", OperationalError, True),
        ("08006", OperationalError, True),
        ("25006", InternalError, True),
        ("40P01", OperationalError, False),
        ("57014", OperationalError, False),
    ],
)
def test_errors_of_a_working_server_do_not_count(state: str, kind: type[Exception], away: bool) -> None:
    cause = errors.lookup(state)()
    cause.__setstate__({"pgcode": state})
    assert database_gate.is_database_unavailable(caused(kind("x"), cause)) == away


def test_a_database_that_answers_passes_the_probe(db: None) -> None:
    database_probe.probe()


def test_a_database_that_refuses_fails_the_probe(database_away: None) -> None:
    with pytest.raises(psycopg2.OperationalError):
        database_probe.probe()


def test_an_unresponsive_database_fails_the_probe_within_its_deadline(db: None, monkeypatch: Any) -> None:
    proxy = SilentProxy(int(connection.settings_dict["PORT"]))
    proxy.forwards.clear()
    monkeypatch.setitem(connection.settings_dict, "PORT", proxy.port)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        database_probe.probe(0.2)
    proxy.close()
    assert time.monotonic() - began < 5


class Running:
    """A request of Celery's that began at `time_start`."""

    def __init__(self, time_start: float | None) -> None:
        self.time_start = time_start


@pytest.mark.parametrize(("seconds", "doubts"), [(10.1, 1), (10.0, 0), (None, 0)])
def test_a_long_running_task_triggers_a_probe(
    seconds: float | None, doubts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    running = Running(None if seconds is None else 1000 - seconds)
    monkeypatch.setattr("celery.worker.state.active_requests", {running})
    monkeypatch.setattr(database_gate, "gate", Gate("it", lambda: asked.append(1)))
    database_gate.probe_if_tasks_are_slow(1000.0)
    assert eventually(lambda: len(asked) == doubts, every=0.01)


@pytest.mark.parametrize(
    "error", [OperationalError("of nothing"), caused(OperationalError("x"), errors.AdminShutdown()), InterfaceError()]
)
def test_a_task_that_failed_for_the_database_closes_the_gate(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[int] = []
    monkeypatch.setattr(database_gate.gate, "report_failure", lambda: reported.append(1))
    database_gate.report_lost_database(error)
    database_gate.report_lost_database(ValueError())
    assert reported == [1]


class Asked:
    """A connection of psycopg2 in asynchronous mode, which needs these steps; nothing ever arrives on its socket."""

    def __init__(self, *states: int) -> None:
        self._states = [*states]

    def poll(self) -> int:
        return self._states.pop(0) if len(self._states) > 1 else self._states[0]

    def fileno(self) -> int:
        return 7


class Poll:
    """`select.poll` that notes what is waited for; ready after its calls."""

    waits: list[tuple[int, int, float]]
    ready = True

    def register(self, file: int, mask: int) -> None:
        self._asked = (file, mask)

    def poll(self, milliseconds: float) -> list[Any]:
        type(self).waits.append((*self._asked, milliseconds))
        return [self._asked] if self.ready else []


@pytest.fixture
def polled(monkeypatch: pytest.MonkeyPatch) -> type[Poll]:
    """In place of `select.poll`, at the time 100."""
    Poll.waits, Poll.ready = [], True
    monkeypatch.setattr("waproject.worker.database_probe.select.poll", Poll)
    monkeypatch.setattr("waproject.worker.database_probe.time.monotonic", lambda: 100.0)
    return Poll


def test_a_step_waits_for_its_socket_until_the_deadline(polled: type[Poll]) -> None:
    database_probe.wait(Asked(extensions.POLL_WRITE, extensions.POLL_READ, extensions.POLL_OK), 102.5)
    assert polled.waits == [(7, select.POLLOUT, 2500.0), (7, select.POLLIN, 2500.0)]


@pytest.mark.parametrize(("until", "waits"), [(99.0, 0), (100.0, 0), (100.5, 1)])
def test_an_answer_after_the_deadline_is_no_answer(polled: type[Poll], until: float, waits: int) -> None:
    polled.ready = False
    with pytest.raises(TimeoutError):
        database_probe.wait(Asked(extensions.POLL_READ), until)
    assert len(polled.waits) == waits


@pytest.mark.parametrize("at", ["connect", "query"])
def test_a_probe_ends_its_connection_whatever_happens(at: str, monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    closed: list[int] = []

    class Made:
        def close(self) -> None:
            closed.append(1)

        def cursor(self) -> Any:
            return self

        def execute(self, statement: str) -> None:
            assert statement == "SELECT 1"

    untils: list[float] = []

    def wait(asked: object, until: float) -> None:
        untils.append(until)
        if at == "connect" or len(untils) == 2:
            raise TimeoutError

    monkeypatch.setattr(psycopg2, "connect", lambda **_: Made())
    monkeypatch.setattr(database_probe, "wait", wait)
    monkeypatch.setattr("waproject.worker.database_probe.time.monotonic", lambda: 100.0)
    with pytest.raises(TimeoutError):
        database_probe.probe(2.0)
    assert (closed, untils) == ([1], [102.0] if at == "connect" else [102.0, 102.0])


class Timer:
    """A worker's timer; `due` is what it would call."""

    def __init__(self) -> None:
        self.every, self.cancelled = 0.0, False

    def call_repeatedly(self, every: float, due: Any) -> "Timer":
        self.every, self.due = every, due
        return self

    def cancel(self) -> None:
        self.cancelled = True


def test_a_worker_looks_at_its_tasks_until_its_event_loop_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[float] = []
    monkeypatch.setattr(database_gate, "probe_if_tasks_are_slow", looked.append)
    timer, step = Timer(), database_gate.GateStep(None)
    step.start(SimpleNamespace(timer=timer))
    timer.due()
    assert (timer.every, timer.cancelled) == (5.0, False)
    assert looked == [pytest.approx(time.time(), abs=60)]
    step.stop(None)
    assert timer.cancelled


def test_tasks_that_change_during_the_look_are_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def changing() -> Any:
        raise RuntimeError("Set changed size during iteration")
        yield

    monkeypatch.setattr("celery.worker.state.active_requests", changing())
    monkeypatch.setattr(database_gate.gate, "probe_soon", lambda: pytest.fail("probed"))
    database_gate.probe_if_tasks_are_slow(1000.0)
