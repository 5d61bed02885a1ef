"""The deliver process's loop: what is slow, breaks or is away holds up nobody else."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError

from messaging.periodic_workers import Round, Rounds
from tests.processes import eventually


class Rows:
    """Rows to be claimed once each, and what was recorded of them."""

    def __init__(self, *rows: str) -> None:
        self.waiting = list(rows)
        self.recorded: list[str] = []
        self.away = 0

    def claim(self, most: int) -> Sequence[str]:
        claimed, self.waiting = self.waiting[:most], self.waiting[most:]
        return claimed

    def record(self, outcomes: Sequence[str]) -> None:
        if self.away:
            self.away -= 1
            raise OperationalError
        self.recorded += outcomes


def made_by(rows: Rows, work: Callable[[str], str] = str.upper, at_once: int = 2, **more: Any) -> Round[str, str]:
    return Round("test", rows.claim, work, rows.record, at_once, idle_s=0.02, **more)


@contextmanager
def running(*rounds: Round[str, str]) -> Iterator[Rounds]:
    """The loop, in a thread."""
    loop = Rounds(rounds)
    thread = threading.Thread(target=loop.run)
    thread.start()
    yield loop
    loop.stop()
    thread.join(20)
    assert not thread.is_alive()


def test_all_that_is_due_is_done_and_recorded() -> None:
    rows = Rows("a", "b", "c", "d", "e")
    with running(made_by(rows)):
        assert eventually(lambda: sorted(rows.recorded) == ["A", "B", "C", "D", "E"])


def test_no_more_is_claimed_than_there_are_threads() -> None:
    rows, go = Rows("a", "b", "c"), threading.Event()
    with running(made_by(rows, lambda _: str(go.wait(20)))):
        assert eventually(lambda: rows.waiting == ["c"])
        go.set()


def test_a_slow_round_holds_up_no_other() -> None:
    slow, quick, go = Rows("a", "b", "c"), Rows("d"), threading.Event()
    with running(made_by(slow, lambda _: str(go.wait(20))), made_by(quick)):
        assert eventually(lambda: quick.recorded == ["D"])
        go.set()


def test_work_that_fails_is_logged_without_its_words_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def work(row: str) -> str:
        if row == "bad":
            raise ValueError("quotes a message")
        return row

    rows = Rows("bad", "good")
    with running(made_by(rows, work)):
        assert eventually(lambda: rows.recorded == ["good"])
    assert "ValueError" in caplog.text and "quotes a message" not in caplog.text


def test_a_round_that_fails_keeps_no_other_from_its_work() -> None:
    def claim(most: int) -> Sequence[str]:
        raise ZeroDivisionError

    rows = Rows("a")
    with running(Round("broken", claim, str, lambda _: None, 1), made_by(rows)):
        assert eventually(lambda: rows.recorded == ["A"])


@pytest.mark.django_db
def test_an_outcome_outlasts_a_database_that_is_away() -> None:
    rows = Rows("a")
    rows.away = 2
    with running(made_by(rows)):
        assert eventually(lambda: rows.recorded == ["A"])


def test_what_is_under_way_at_the_end_is_finished_and_recorded() -> None:
    rows, begun, go = Rows("a", "b", "c"), threading.Event(), threading.Event()

    def work(row: str) -> str:
        begun.set()
        go.wait(20)
        return row

    with running(made_by(rows, work, at_once=1)) as loop:
        begun.wait(20)
        loop.stop()
        go.set()
    assert (rows.recorded, rows.waiting) == (["a"], ["b", "c"])


def test_a_round_tidies_up_from_time_to_time() -> None:
    tidied: list[int] = []
    with running(made_by(Rows(), tidy=lambda: tidied.append(1), tidy_every_s=0.02)):
        assert eventually(lambda: len(tidied) >= 2)
