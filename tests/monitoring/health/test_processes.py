"""Who lives, who is gone, who is missing."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring.health.heartbeats import DatabaseKeeper
from monitoring.health.processes import State, judge
from monitoring.models import Heartbeat
from tests.processes import Worker, eventually
from waproject.worker.liveness import Process

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def beat(kind: str = "outgoing", *, seen: float = 5, began: float = 600, host: str = "a") -> Heartbeat:
    """A process that was seen and begun so many seconds ago."""
    return Heartbeat(
        kind=kind,
        name=f"{kind}@{host}",
        host=host,
        pid=7,
        started_at=NOW - timedelta(seconds=began),
        seen_at=NOW - timedelta(seconds=seen),
    )


@pytest.mark.parametrize(
    ("beats", "states"),
    [
        ([beat(seen=5)], ["alive"]),
        ([beat(seen=44)], ["alive"]),
        ([beat(seen=46)], ["gone"]),
        ([beat(seen=120), beat(host="b", began=60)], ["replaced", "alive"]),
        ([beat(seen=120), beat(host="b", began=300)], ["gone", "alive"]),
        ([beat(seen=120), beat(seen=110, host="c"), beat(host="b", began=60)], ["replaced", "gone", "alive"]),
        ([beat(seen=120), beat("incoming", began=60)], ["gone", "alive"]),
    ],
)
def test_a_process_is_alive_gone_or_replaced(beats: list[Heartbeat], states: list[str]) -> None:
    assert [process.state for process in judge(beats, NOW, ()).processes] == [State(state) for state in states]


@pytest.mark.parametrize(
    ("beats", "missing"),
    [([], ("outgoing",)), ([beat(seen=100)], ("outgoing",)), ([beat()], ()), ([beat(seen=100), beat()], ())],
)
def test_a_kind_of_which_none_lives_is_missing(beats: list[Heartbeat], missing: tuple[str, ...]) -> None:
    assert judge(beats, NOW, ["outgoing"]).missing == missing


@pytest.mark.django_db
def test_a_clean_end_leaves_nothing() -> None:
    keeper, process = DatabaseKeeper(), Process("dispatcher", "dispatcher@a")
    keeper.started(process)
    keeper.stopped(process)
    assert not Heartbeat.objects.exists()


@pytest.mark.django_db
def test_a_beat_costs_one_statement() -> None:
    keeper, process = DatabaseKeeper(), Process("dispatcher", "dispatcher@a")
    keeper.started(process)
    with CaptureQueriesContext(connection) as queries:
        keeper.seen(process)
    assert len(queries) == 1


@pytest.mark.django_db
def test_a_row_that_was_taken_away_comes_back() -> None:
    keeper, process = DatabaseKeeper(), Process("dispatcher", "dispatcher@a")
    keeper.seen(process)
    assert Heartbeat.objects.get().pid == os.getpid()


@pytest.mark.django_db
def test_who_takes_a_killed_ones_place_remembers_the_crash() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    keeper = DatabaseKeeper()
    keeper.started(Process("dispatcher", "dispatcher@a", pid=ended.pid))
    keeper.started(Process("dispatcher", "dispatcher@a"))
    row = Heartbeat.objects.get()
    assert (row.pid, row.crashes, row.crashed_at is None) == (os.getpid(), 1, False)


@pytest.mark.django_db
def test_another_dispatcher_of_the_host_is_left_alone() -> None:
    keeper = DatabaseKeeper()
    keeper.started(Process("dispatcher", "dispatcher@a", pid=os.getppid()))
    keeper.started(Process("dispatcher", "dispatcher@a"))
    assert Heartbeat.objects.count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("how", "left"), [("terminate", 0), ("kill", 1)])
def test_a_worker_that_is_stopped_leaves_nothing_and_a_killed_one_its_row(
    how: str, left: int, sqs: Any, tmp_path: Path
) -> None:
    worker = Worker("outgoing", tmp_path / "worker.log", DATABASE_URL=database_url())
    try:
        assert eventually(lambda: Heartbeat.objects.filter(kind="outgoing").exists(), 30), worker.log
        getattr(worker.process, how)()
        worker.process.wait(20)
        assert Heartbeat.objects.count() == left
    finally:
        worker.stop()


def database_url() -> str:
    """The test's database, for a process of its own."""
    at = connection.settings_dict
    return f"postgres://waproject:{at['PASSWORD']}@127.0.0.1:{at['PORT']}/{at['NAME']}"
