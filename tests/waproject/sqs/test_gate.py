"""A gate closes when it is told of a failure, and opens when its probe succeeds."""

import multiprocessing
import time
from typing import Any

import psycopg2
import pytest
from django.db import InterfaceError, OperationalError, connection
from django.db.utils import DataError, InternalError
from psycopg2 import errors

from testkit.silent_proxy import SilentProxy
from tests.processes import eventually
from waproject.sqs import gate as gates
from waproject.sqs.gate import Gate
from waproject.worker import database_gate, database_probe


class Server:
    """What a gate is about; counts how often it is asked."""

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


def test_while_all_is_well_nothing_is_asked(server: Server) -> None:
    gate = Gate("it", server)
    assert [gate.is_open() for _ in range(3)] == [True] * 3
    assert server.asked == 0


def test_a_failure_closes_it_until_the_probe_succeeds(server: Server) -> None:
    server.away = True
    gate = Gate("it", server)
    gate.tell()
    assert not gate.is_open()
    assert eventually(lambda: server.asked >= 2, every=0.01)
    assert not gate.is_open()
    server.away = False
    assert eventually(gate.is_open, every=0.01)


def test_a_failure_that_is_over_closes_it_for_a_moment(server: Server) -> None:
    gate = Gate("it", server)
    gate.tell()
    assert eventually(gate.is_open, every=0.01)


def test_a_doubt_closes_nothing_where_the_probe_succeeds(server: Server) -> None:
    gate = Gate("it", server)
    gate.doubt()
    assert eventually(lambda: server.asked == 1, every=0.01)
    assert gate.is_open()


def test_a_doubt_closes_it_where_the_probe_fails(server: Server) -> None:
    server.away = True
    gate = Gate("it", server)
    gate.doubt()
    assert eventually(lambda: not gate.is_open(), every=0.01)
    server.away = False
    assert eventually(gate.is_open, every=0.01)


def test_who_fails_again_though_the_probe_succeeds_waits_longer_each_time(server: Server) -> None:
    gate = Gate("it", server)
    closed = []
    for _ in range(5):
        gate.tell()
        began = time.monotonic()
        assert eventually(gate.is_open, every=0.001)
        closed.append(time.monotonic() - began)
    assert closed[4] > 0.01 * 2**4


def test_a_forked_child_is_heard_by_its_parent(server: Server) -> None:
    server.away = True
    gate = Gate("it", server)
    child = multiprocessing.get_context("fork").Process(target=gate.tell)
    child.start()
    child.join(10)
    assert not gate.is_open()
    server.away = False
    assert eventually(gate.is_open, every=0.01)


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
def test_what_counts_as_a_database_that_is_away(error: Exception | None, away: bool) -> None:
    assert database_gate.is_away(error) == away


@pytest.mark.parametrize(
    ("state", "kind", "away"),
    [
        ("57P01", OperationalError, True),
        ("57P03", OperationalError, True),
        ("53300", OperationalError, True),
        ("08006", OperationalError, True),
        ("25006", InternalError, True),
        ("40P01", OperationalError, False),
        ("57014", OperationalError, False),
    ],
)
def test_a_servers_own_errors_are_told_apart(state: str, kind: type[Exception], away: bool) -> None:
    cause = errors.lookup(state)()
    cause.__setstate__({"pgcode": state})
    assert database_gate.is_away(caused(kind("x"), cause)) == away


def test_a_database_that_answers_passes_the_probe(db: None) -> None:
    database_probe.ask()


def test_a_database_that_refuses_fails_the_probe(database_away: None) -> None:
    with pytest.raises(psycopg2.OperationalError):
        database_probe.ask()


def test_a_database_that_went_silent_fails_the_probe_within_its_deadline(db: None, monkeypatch: Any) -> None:
    proxy = SilentProxy(int(connection.settings_dict["PORT"]))
    proxy.forwards.clear()
    monkeypatch.setitem(connection.settings_dict, "PORT", proxy.port)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        database_probe.ask(0.2)
    proxy.close()
    assert time.monotonic() - began < 5


class Running:
    """A request of Celery's that began at `time_start`."""

    def __init__(self, time_start: float | None) -> None:
        self.time_start = time_start


@pytest.mark.parametrize(("seconds", "doubts"), [(11.0, 1), (9.0, 0), (None, 0)])
def test_a_task_that_runs_long_is_a_reason_to_ask(
    seconds: float | None, doubts: int, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    running = Running(None if seconds is None else 1000 - seconds)
    monkeypatch.setattr("celery.worker.state.active_requests", {running})
    monkeypatch.setattr(database_gate, "gate", Gate("it", server))
    database_gate.doubt_slow_tasks(1000.0)
    assert eventually(lambda: server.asked == doubts, 5, 0.01)
