"""A process reports that it is alive, without effects on its work."""

import threading

import pytest

from tests.waiting import eventually, never
from waproject.worker import liveness
from waproject.worker.liveness import LivenessReporter, Process

HERE = Process("dispatcher", "dispatcher@here")


class Record:
    """A store that records the reports."""

    def __init__(self, failing: bool = False) -> None:
        self.said: list[str] = []
        self.threads: set[str] = set()
        self.failing = failing

    def _say(self, word: str) -> None:
        self.said.append(word)
        self.threads.add(threading.current_thread().name)
        if self.failing:
            raise OSError("away")

    def started(self, process: Process) -> None:
        self._say("begun")

    def seen(self, process: Process) -> None:
        self._say("seen")

    def stalled(self, process: Process) -> None:
        self._say("stalled")

    def stopped(self, process: Process) -> None:
        self._say("ended")

    def names(self, since: float) -> set[str]:
        return set()

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
