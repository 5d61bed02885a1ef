"""Processes: alive, gone, replaced or missing."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from monitoring.health import heartbeats, processes
from monitoring.health.heartbeats import DatabaseLivenessStore, settle_replaced
from monitoring.health.processes import State, status_at
from monitoring.models import Heartbeat
from tests.processes import Worker
from tests.waiting import PATIENCE_S, eventually
from waproject.worker.liveness import Process

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def heartbeat(
    kind: str = "outgoing", *, seen: float = 5, started: float = 600, host: str = "a", stalled: float | None = None
) -> Heartbeat:
    """A process that started, and sent its last heartbeat, so many seconds ago."""
    return Heartbeat(
        kind=kind,
        name=f"{kind}@{host}",
        host=host,
        pid=7,
        started_at=NOW - timedelta(seconds=started),
        seen_at=NOW - timedelta(seconds=seen),
        stalled_since=None if stalled is None else NOW - timedelta(seconds=stalled),
    )


@pytest.mark.parametrize(
    ("heartbeats", "states"),
    [
        ([heartbeat(seen=5)], ["alive"]),
        ([heartbeat(seen=44)], ["alive"]),
        ([heartbeat(seen=45)], ["gone"]),
        ([heartbeat(seen=46)], ["gone"]),
        ([heartbeat(seen=120), heartbeat(host="b", started=120)], ["gone", "alive"]),
        ([heartbeat(seen=120), heartbeat(host="b", started=60)], ["replaced", "alive"]),
        ([heartbeat(seen=120), heartbeat(host="b", started=300)], ["gone", "alive"]),
        (
            [heartbeat(seen=120), heartbeat(seen=110, host="c"), heartbeat(host="b", started=60)],
            ["replaced", "gone", "alive"],
        ),
        ([heartbeat(seen=120), heartbeat("incoming", started=60)], ["gone", "alive"]),
        ([heartbeat(stalled=5)], ["stalled"]),
        ([heartbeat(seen=46, stalled=60)], ["gone"]),
        ([heartbeat(seen=120), heartbeat(host="b", started=60, stalled=5)], ["gone", "stalled"]),
        ([heartbeat(seen=120, stalled=130), heartbeat(host="b", started=60)], ["replaced", "alive"]),
        # Killed again and again, in containers of new names.
        (
            [heartbeat(seen=300), heartbeat(host="b", started=250, seen=200), heartbeat(host="c", started=150)],
            ["replaced", "replaced", "alive"],
        ),
        ([heartbeat(seen=300), heartbeat(host="b", started=250, seen=200)], ["replaced", "gone"]),
    ],
)
def test_a_process_is_alive_gone_or_replaced(heartbeats: list[Heartbeat], states: list[str]) -> None:
    assert [process.state for process in status_at(NOW, heartbeats, ()).processes] == [State(state) for state in states]


@pytest.mark.parametrize(
    ("heartbeats", "missing"),
    [
        ([], ("outgoing",)),
        ([heartbeat(seen=100)], ("outgoing",)),
        ([heartbeat()], ()),
        ([heartbeat(seen=100), heartbeat()], ()),
        ([heartbeat(stalled=5)], ("outgoing",)),
        ([heartbeat(stalled=5), heartbeat(host="b")], ()),
    ],
)
def test_an_expected_kind_without_a_running_process_is_missing(
    heartbeats: list[Heartbeat], missing: tuple[str, ...]
) -> None:
    assert status_at(NOW, heartbeats, ["outgoing"]).missing == missing


def test_a_process_is_shown_as_its_row_has_it() -> None:
    row = heartbeat(seen=5, started=600, stalled=70)
    row.crashes, row.crashed_at = 3, NOW - timedelta(seconds=700)
    assert status_at(NOW, [row], ()).processes == (
        processes.Process(
            kind="outgoing", name="outgoing@a", pid=7, state=State.STALLED, started_at=NOW - timedelta(seconds=600),
            age_s=5.0, crashes=3, crashed_at=NOW - timedelta(seconds=700), stalled_since=NOW - timedelta(seconds=70),
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("heartbeats", "ok", "alive"),
    [
        ([heartbeat(), heartbeat(host="b"), heartbeat("beat")], True, 2),
        ([heartbeat(), heartbeat(host="b", stalled=5)], False, 1),
        ([heartbeat(), heartbeat(host="b", seen=100)], False, 1),
        ([heartbeat("beat")], False, 0),
    ],
    ids=["all work", "one has stalled", "one is gone", "a kind is missing"],
)
def test_all_is_well_while_no_kind_is_missing_and_no_process_faulty(
    heartbeats: list[Heartbeat], ok: bool, alive: int
) -> None:
    status = status_at(NOW, heartbeats, ["outgoing"])
    assert (status.ok, status.alive("outgoing")) == (ok, alive)


@pytest.mark.django_db
def test_processes_are_listed_by_kind_name_and_pid(settings: Any) -> None:
    settings.EXPECTED_PROCESSES = ["beat", "outgoing"]
    now = timezone.now()
    for kind, name, pid in (("outgoing", "b", 1), ("outgoing", "a", 3), ("outgoing", "a", 2), ("incoming", "c", 4)):
        Heartbeat.objects.create(kind=kind, name=name, host=f"{pid}", pid=pid, started_at=now, seen_at=now)
    status = processes.process_status()
    assert [process.pid for process in status.processes] == [4, 2, 3, 1]
    assert status.missing == ("beat",)


@pytest.mark.django_db
def test_names_are_those_of_processes_with_a_recent_heartbeat() -> None:
    keeper = DatabaseLivenessStore()
    for host, ago in (("a", 29), ("b", 31)):
        row = heartbeat(host=host)
        row.seen_at = timezone.now() - timedelta(seconds=ago)
        row.save()
    assert keeper.names(30) == {"outgoing@a"}


@pytest.mark.parametrize(("error", "exists"), [(None, True), (PermissionError, True), (ProcessLookupError, False)])
def test_a_process_exists_unless_the_system_knows_none(
    error: type[OSError] | None, exists: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def kill(pid: int, signal: int) -> None:
        asked.append((pid, signal))
        if error:
            raise error

    monkeypatch.setattr("monitoring.health.heartbeats.os.kill", kill)
    assert (heartbeats._exists(7), asked) == (exists, [(7, 0)])


@pytest.mark.django_db
def test_a_successor_has_its_own_start_and_the_crashes_of_all_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "_exists", lambda _: False)
    for pid, crashes, ago in ((8, 2, 60), (9, 1, 90)):
        row = heartbeat("dispatcher")
        row.pid, row.crashes, row.seen_at = pid, crashes, timezone.now() - timedelta(seconds=ago)
        row.save()
    latest = Heartbeat.objects.get(pid=8).seen_at
    DatabaseLivenessStore().started(Process("dispatcher", "dispatcher@a", host="a", pid=7, started_at=NOW.timestamp()))
    row = Heartbeat.objects.get()
    assert (row.name, row.started_at, row.crashes, row.crashed_at, row.stalled_since) == (
        "dispatcher@a", NOW, 5, latest, None,
    )  # fmt: skip
    assert row.seen_at > latest + timedelta(seconds=50)


@pytest.mark.django_db
def test_a_clean_stop_deletes_the_heartbeat() -> None:
    keeper, process = DatabaseLivenessStore(), Process("dispatcher", "dispatcher@a")
    keeper.started(process)
    keeper.stopped(process)
    assert not Heartbeat.objects.exists()


@pytest.mark.django_db
def test_a_heartbeat_costs_one_statement() -> None:
    keeper, process = DatabaseLivenessStore(), Process("dispatcher", "dispatcher@a")
    keeper.started(process)
    with CaptureQueriesContext(connection) as queries:
        keeper.seen(process)
    assert len(queries) == 1


@pytest.mark.django_db
def test_a_stalled_process_keeps_the_time_since_which_it_is_stalled_until_it_works() -> None:
    keeper, process = DatabaseLivenessStore(), Process("dispatcher", "dispatcher@a")
    keeper.started(process)
    Heartbeat.objects.update(seen_at=NOW)
    keeper.stalled(process)
    first = Heartbeat.objects.get()
    keeper.stalled(process)
    second = Heartbeat.objects.get()
    keeper.seen(process)
    assert first.stalled_since and first.stalled_since == second.stalled_since
    assert (first.seen_at > NOW, second.seen_at > first.seen_at) == (True, True)
    assert Heartbeat.objects.get().stalled_since is None


@pytest.mark.django_db
def test_a_deleted_row_is_inserted_again() -> None:
    keeper, process = DatabaseLivenessStore(), Process("dispatcher", "dispatcher@a")
    keeper.seen(process)
    assert Heartbeat.objects.get().pid == os.getpid()


@pytest.mark.django_db
def test_the_successor_of_a_killed_process_counts_the_crash() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    keeper = DatabaseLivenessStore()
    keeper.started(Process("dispatcher", "dispatcher@a", pid=ended.pid))
    keeper.started(Process("dispatcher", "dispatcher@a"))
    row = Heartbeat.objects.get()
    assert (row.pid, row.crashes, row.crashed_at is None) == (os.getpid(), 1, False)


@pytest.mark.django_db
def test_the_last_of_processes_that_replaced_each_other_on_hosts_of_new_names_counts_all_crashes() -> None:
    rows = [heartbeat(seen=300), heartbeat(host="b", started=250, seen=200), heartbeat(host="c", started=150)]
    Heartbeat.objects.bulk_create(rows)
    settle_replaced(NOW)
    left = Heartbeat.objects.get()
    assert (left.host, left.crashes, left.crashed_at) == ("c", 2, NOW - timedelta(seconds=200))


@pytest.mark.django_db
def test_a_crash_that_is_settled_adds_to_those_of_the_successor_alone() -> None:
    successor, other = heartbeat(host="b", started=250), heartbeat("beat")
    successor.crashes, successor.crashed_at = 3, NOW - timedelta(seconds=100)
    Heartbeat.objects.bulk_create([heartbeat(seen=300), successor, other])
    settle_replaced(NOW)
    assert list(Heartbeat.objects.order_by("kind").values_list("kind", "crashes", "crashed_at")) == [
        ("beat", 0, None),
        ("outgoing", 4, NOW - timedelta(seconds=100)),
    ]


@pytest.mark.django_db
def test_a_process_that_reports_meanwhile_is_not_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    def then_one_reports(*given: Any) -> Any:
        pairs = processes.replacements(*given)
        Heartbeat.objects.filter(host="a").update(seen_at=NOW)
        return pairs

    monkeypatch.setattr(heartbeats, "replacements", then_one_reports)
    gone = [heartbeat(seen=300, host=host) for host in ("a", "b")]
    Heartbeat.objects.bulk_create([*gone, *(heartbeat(host=host, started=250) for host in ("c", "d"))])
    settle_replaced(NOW)
    assert sorted(Heartbeat.objects.values_list("host", "crashes")) == [("a", 0), ("c", 0), ("d", 1)]


@pytest.mark.django_db
def test_a_replaced_process_is_not_gone_again_once_its_successor_has_stopped() -> None:
    Heartbeat.objects.bulk_create([heartbeat(seen=300), heartbeat(host="b", started=250), heartbeat(host="c")])
    settle_replaced(NOW)
    Heartbeat.objects.get(host="b").delete()
    assert [process.name for process in status_at(NOW, Heartbeat.objects.all(), ()).faulty] == []


@pytest.mark.django_db
def test_a_process_that_nothing_replaced_keeps_its_row() -> None:
    Heartbeat.objects.bulk_create([heartbeat(seen=300), heartbeat(host="b", started=400)])
    settle_replaced(NOW)
    assert Heartbeat.objects.count() == 2


@pytest.mark.django_db
def test_a_running_dispatcher_of_the_same_host_keeps_its_heartbeat() -> None:
    keeper = DatabaseLivenessStore()
    keeper.started(Process("dispatcher", "dispatcher@a", pid=os.getppid()))
    keeper.started(Process("dispatcher", "dispatcher@a"))
    assert Heartbeat.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("report", ["seen", "stalled", "stopped"])
@pytest.mark.parametrize("other", [{"host": "b"}, {"pid": 1}, {"kind": "monitor"}], ids=["host", "pid", "kind"])
def test_a_process_reports_for_itself_alone(report: str, other: dict[str, Any]) -> None:
    one: dict[str, Any] = {"kind": "dispatcher", "host": "a", "pid": os.getpid()}
    keeper = DatabaseLivenessStore()
    for fields in (one, {**one, **other}):
        keeper.started(Process(name="x", **fields))
    Heartbeat.objects.update(seen_at=NOW)
    getattr(keeper, report)(Process(name="x", **one))
    row = Heartbeat.objects.get(**{**one, **other})
    assert (row.seen_at, row.stalled_since) == (NOW, None)


@pytest.mark.django_db
@pytest.mark.parametrize(("hours", "left"), [(23.9, 2), (24.1, 1)])
def test_the_row_of_a_host_that_never_returns_is_deleted_after_a_day(hours: float, left: int) -> None:
    keeper = DatabaseLivenessStore()
    keeper.started(Process("dispatcher", "dispatcher@a", host="a"))
    Heartbeat.objects.update(seen_at=timezone.now() - timedelta(hours=hours))
    keeper.started(Process("dispatcher", "dispatcher@b", host="b"))
    assert Heartbeat.objects.count() == left


@pytest.mark.slow("starts processes of the pipeline")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("how", "left"), [("terminate", 0), ("kill", 1)])
def test_a_stopped_worker_deletes_its_heartbeat_and_a_killed_one_leaves_it(
    how: str, left: int, sqs: Any, tmp_path: Path
) -> None:
    worker = Worker("outgoing", tmp_path / "worker.log", DATABASE_URL=database_url())
    try:
        assert eventually(lambda: Heartbeat.objects.filter(kind="outgoing").exists()), worker.log
        getattr(worker.process, how)()
        worker.process.wait(PATIENCE_S)
        assert Heartbeat.objects.count() == left
    finally:
        worker.stop()


def database_url() -> str:
    """The URL of the test's database, for another process."""
    at = connection.settings_dict
    return f"postgres://waproject:{at['PASSWORD']}@127.0.0.1:{at['PORT']}/{at['NAME']}"
