"""A process reports that it is alive, without effects on its work."""

import os
import socket
import threading
from contextlib import nullcontext

import pytest

from tests.waiting import eventually, never
from waproject.worker import liveness
from waproject.worker.liveness import LivenessReporter, Process

HERE = Process("dispatcher", "dispatcher@here")


class Record:
    """A store that records the reports."""

    def __init__(self, failing: bool = False) -> None:
        self.said: list[str] = []
        self.processes: set[Process] = set()
        self.asked: list[float] = []
        self.threads: set[str] = set()
        self.failing = failing

    def _say(self, word: str, process: Process | None = None) -> None:
        self.said.append(word)
        self.processes |= {process} if process else set()
        self.threads.add(threading.current_thread().name)
        if self.failing:
            raise OSError("away")

    def started(self, process: Process) -> None:
        self._say("begun", process)

    def seen(self, process: Process) -> None:
        self._say("seen", process)

    def stalled(self, process: Process) -> None:
        self._say("stalled", process)

    def stopped(self, process: Process) -> None:
        self._say("ended", process)

    def names(self, since: float) -> set[str]:
        self.asked.append(since)
        if self.failing:
            raise OSError("away")
        return {"incoming@here"}

    def close(self) -> None:
        self._say("closed")


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch) -> Record:
    """The store of this test."""
    store = Record()
    monkeypatch.setattr(liveness, "_stores", [store])
    return store


def test_a_process_reports_its_start_its_life_and_its_end(record: Record) -> None:
    life = LivenessReporter(HERE, every=0.01)
    life.start()
    assert eventually(lambda: record.said.count("seen") >= 2)
    life.end()
    assert (record.said[0], record.said[-2:]) == ("begun", ["ended", "closed"])
    assert record.processes == {HERE}


def test_the_store_is_closed_between_reports(record: Record) -> None:
    life = LivenessReporter(HERE, every=60)
    life.start()
    assert eventually(lambda: record.said == ["begun", "closed"])
    life.end()


def test_reports_come_from_their_own_thread(record: Record) -> None:
    with liveness.alive("dispatcher"):
        assert eventually(lambda: record.said)
    assert record.threads == {"liveness"}


def test_a_failed_report_is_repeated(record: Record) -> None:
    record.failing = True
    life = LivenessReporter(HERE, every=0.01)
    life.start()
    assert eventually(lambda: len(record.said) >= 3)
    record.failing = False
    assert eventually(lambda: "seen" in record.said)
    life.end()


def test_a_start_that_was_not_recorded_is_reported_again(record: Record) -> None:
    record.failing = True
    life = LivenessReporter(HERE, every=0.01)
    life.start()
    assert eventually(lambda: record.said.count("begun") >= 2)
    assert "seen" not in record.said
    life.end()


def test_a_loop_that_hangs_is_reported_as_stalled(record: Record) -> None:
    life = LivenessReporter(HERE, every=0.01, stalled_after=0.05)
    life.progress()
    life.start()
    assert eventually(lambda: "stalled" in record.said)
    seen = record.said.count("seen")
    assert never(lambda: record.said.count("seen") > seen, 0.2)
    life.end()


def test_a_loop_that_hangs_leaves_its_containers_heartbeat(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[float] = []
    life = LivenessReporter(HERE, every=0.01, stalled_after=0.05)
    monkeypatch.setattr(life._heartbeat, "beat", lambda: beats.append(0))
    life.progress()
    life.start()
    assert eventually(lambda: "stalled" in record.said)
    before = len(beats)
    assert never(lambda: len(beats) > before, 0.2)
    life.end()


def test_work_that_does_not_move_is_stalled_until_it_moves(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[float] = []
    life = LivenessReporter(HERE, every=0.01)
    life.makes_progress = lambda: False
    monkeypatch.setattr(life._heartbeat, "beat", lambda: beats.append(0))
    life.start()
    assert eventually(lambda: record.said.count("stalled") >= 2)
    before = len(beats)
    # Its container is not restarted: the cause may be the database, which a restart does not repair.
    assert eventually(lambda: len(beats) > before)
    life.makes_progress = lambda: True
    assert eventually(lambda: "seen" in record.said)
    life.end()


def test_without_a_store_no_thread_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "_stores", [])
    with liveness.alive("dispatcher") as life:
        assert life._thread.ident is None


@pytest.mark.parametrize(("name", "shown"), [("", f"dispatcher@{socket.gethostname()}"), ("mine", "mine")])
def test_a_process_is_named_by_its_kind_and_host(name: str, shown: str, record: Record) -> None:
    with liveness.alive("dispatcher", name) as life:
        assert eventually(lambda: record.processes)
    (process,) = record.processes
    assert (process.kind, process.name, process.host) == ("dispatcher", shown, socket.gethostname())
    assert (process.pid, life.process) == (os.getpid(), process)


def test_reporting_keeps_no_process_alive() -> None:
    assert LivenessReporter(HERE)._thread.daemon


@pytest.mark.parametrize("failing", [False, True])
def test_the_living_are_asked_of_the_store_which_is_closed_again(failing: bool, record: Record) -> None:
    record.failing = failing
    with pytest.raises(OSError, match="away") if failing else nullcontext():
        assert liveness.names(300.0) == {"incoming@here"}
    assert (record.asked, record.said) == ([300.0], ["closed"])


def test_the_last_store_is_the_programs(record: Record) -> None:
    liveness.use_store(other := Record())
    assert liveness._stores == [other]


def test_each_report_is_preceded_by_a_question_for_progress(record: Record) -> None:
    life = LivenessReporter(HERE, every=0.01)
    life.request_progress = lambda: record.said.append("asked")
    life.start()
    assert eventually(lambda: record.said.count("seen") >= 2)
    life.end()
    assert record.said[:6] == ["asked", "begun", "closed", "asked", "seen", "closed"]


def test_progress_keeps_a_process_from_being_stalled(record: Record) -> None:
    life = LivenessReporter(HERE, every=0.01, stalled_after=3600)
    life.progress()
    life.start()
    assert eventually(lambda: record.said.count("seen") >= 2)
    life.end()
    assert "stalled" not in record.said


def test_a_clean_exit_takes_the_heartbeat_along(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    life = LivenessReporter(HERE)
    monkeypatch.setattr(life._heartbeat, "end", lambda: ended.append(1))
    life.start()
    life.end()
    assert ended == [1]
