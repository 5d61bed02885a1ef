"""Deletes and visibility changes: when a request is made, what is in it, and what becomes of those that fail."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from tests.waiting import eventually
from waproject.sqs import settling
from waproject.sqs.settling import Settler
from waproject.sqs.wire import Client, Unavailable

DELETE, HIDE = "DeleteMessageBatch", "ChangeMessageVisibilityBatch"


class Sqs:
    """Records requests; answers with `answer(entries)`."""

    def __init__(self, answer: Callable[[list[dict[str, Any]]], dict[str, Any]] = lambda _: {}) -> None:
        self.asked: list[tuple[str, list[dict[str, Any]]]] = []
        self.answer = answer
        self.timeouts: set[float] = set()
        self.urls: set[str] = set()
        self._lock = threading.Lock()

    def call(self, action: str, parameters: dict[str, Any], timeout: float) -> dict[str, Any]:
        with self._lock:
            self.asked.append((action, parameters["Entries"]))
            self.timeouts.add(timeout)
            self.urls.add(parameters["QueueUrl"])
        return self.answer(parameters["Entries"])

    def handles(self, action: str = DELETE) -> list[list[str]]:
        """The handles of each request of this kind."""
        return [[entry["ReceiptHandle"] for entry in entries] for asked, entries in self.asked if asked == action]


def away(_: object) -> dict[str, Any]:
    raise Unavailable("away")


@pytest.fixture
def settler(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Settler]]:
    """Makes settlers that wait a minute for a full batch, and ends them."""
    monkeypatch.setattr(settling, "FLUSH_S", 60.0)
    made: list[Settler] = []

    def make(sqs: Sqs, visibility_s: float = 60.0) -> Settler:
        made.append(Settler(cast(Client, sqs), "https://sqs/1/q", visibility_s))
        return made[-1]

    yield make
    for one in made:
        one.close(0.1)


def test_ten_deletes_are_one_request_at_once(settler: Callable[..., Settler]) -> None:
    sqs = Sqs()
    one = settler(sqs)
    for n in range(10):
        one.delete([str(n)])
    assert eventually(lambda: bool(sqs.asked))
    assert sqs.asked == [(DELETE, [{"Id": str(n), "ReceiptHandle": str(n)} for n in range(10)])]
    assert (sqs.timeouts, sqs.urls) == ({5.0}, {"https://sqs/1/q"})


def test_fewer_deletes_wait_for_others(settler: Callable[..., Settler]) -> None:
    sqs = Sqs()
    settler(sqs).delete([str(n) for n in range(9)])
    time.sleep(0.2)
    assert sqs.asked == []


def test_of_eleven_deletes_the_last_one_waits(settler: Callable[..., Settler]) -> None:
    sqs = Sqs()
    settler(sqs).delete([str(n) for n in range(11)])
    assert eventually(lambda: bool(sqs.asked))
    time.sleep(0.1)
    assert sqs.handles() == [[str(n) for n in range(10)]]


def test_a_delete_waits_a_quarter_of_a_second_at_most(settler: Callable[..., Settler]) -> None:
    settling.FLUSH_S = 0.25
    sqs = Sqs()
    began = time.monotonic()
    settler(sqs).delete(["a"])
    assert eventually(lambda: bool(sqs.asked))
    assert 0.24 <= time.monotonic() - began < 3.0


def test_a_visibility_change_does_not_wait_and_goes_before_deletes(settler: Callable[..., Settler]) -> None:
    sqs = Sqs()
    one = settler(sqs)
    one.delete(["a"])
    one.hide(["b"], 30)
    assert eventually(lambda: bool(sqs.asked))
    assert sqs.asked == [(HIDE, [{"Id": "0", "ReceiptHandle": "b", "VisibilityTimeout": 30}])]


def test_a_release_sets_a_visibility_of_zero(settler: Callable[..., Settler]) -> None:
    sqs = Sqs()
    settler(sqs).hide(["a"], 0)
    assert eventually(lambda: bool(sqs.asked))
    assert sqs.asked[0][1][0]["VisibilityTimeout"] == 0


def test_closing_sends_what_waits_and_leaves_none(settler: Callable[..., Settler]) -> None:
    sqs = Sqs()
    one = settler(sqs)
    one.delete(["a", "b"])
    assert (one.close(5), sqs.handles()) == (0, [["a", "b"]])


def test_closing_without_work_takes_no_time(settler: Callable[..., Settler]) -> None:
    began = time.monotonic()
    assert settler(Sqs()).close(5) == 0
    assert time.monotonic() - began < 2


def test_closing_gives_up_and_says_how_many_are_left(
    settler: Callable[..., Settler], caplog: pytest.LogCaptureFixture
) -> None:
    sqs = Sqs(away)
    one = settler(sqs)
    one.delete(["a", "b"])
    one.hide(["c"], 5)
    began = time.monotonic()
    assert one.close(0.3) == 3
    assert time.monotonic() - began < 3
    assert "3 messages were not settled" in caplog.text


def test_closing_does_not_wait_for_a_request_that_takes_longer(settler: Callable[..., Settler]) -> None:
    answered = threading.Event()
    sqs = Sqs(lambda _: {"Failed": []} if answered.wait(20) else {})
    one = settler(sqs)
    one.hide(["a"], 5)
    assert eventually(lambda: bool(sqs.asked))
    began = time.monotonic()
    one.close(0)
    assert time.monotonic() - began < 10
    answered.set()


@pytest.mark.parametrize(
    ("failed", "again"),
    [
        ([{"Id": "1"}], ["b"]),
        ([{"Id": "0", "SenderFault": False}, {"Id": "2"}], ["a", "c"]),
        ([{"Id": "1", "SenderFault": True}], []),
        ([{"Id": "0", "SenderFault": True}, {"Id": "2"}], ["c"]),
    ],
    ids=["one", "two", "stale", "stale and failed"],
)
def test_only_entries_that_may_succeed_are_asked_again_in_their_order(
    settler: Callable[..., Settler], failed: list[dict[str, Any]], again: list[str]
) -> None:
    sqs = Sqs()
    sqs.answer = lambda entries: {"Failed": failed} if len(entries) == 3 else {}
    one = settler(sqs)
    one.delete(["a", "b", "c"])
    assert (one.close(10), sqs.handles()) == (0, [["a", "b", "c"], *([again] if again else [])])


def test_what_failed_keeps_its_turn_before_what_came_later(settler: Callable[..., Settler]) -> None:
    sqs = Sqs(away)
    one = settler(sqs)
    one.hide(["a", "b"], 1)
    assert eventually(lambda: bool(sqs.asked))
    one.hide(["c"], 1)
    sqs.answer = lambda _: {}
    assert (one.close(10), sqs.handles(HIDE)[-1]) == (0, ["a", "b", "c"])


@pytest.mark.parametrize(("action", "settle"), [(DELETE, "delete"), (HIDE, "hide")])
def test_a_retry_is_of_the_same_kind(settler: Callable[..., Settler], action: str, settle: str) -> None:
    sqs = Sqs(away)
    one = settler(sqs)
    one.delete(["a"] * 10) if settle == "delete" else one.hide(["a"], 7)
    assert eventually(lambda: len(sqs.asked) >= 2)
    assert {asked for asked, _ in sqs.asked} == {action}


def test_settlements_are_given_up_once_the_message_is_visible_again(settler: Callable[..., Settler]) -> None:
    sqs = Sqs(away)
    one = settler(sqs, visibility_s=0.05)
    one.hide(["a"], 1)
    assert eventually(lambda: bool(sqs.asked))
    assert eventually(lambda: not one._hides)
    assert one.close(5) == 0


def test_failures_pause_longer_each_time_and_a_success_ends_that(settler: Callable[..., Settler]) -> None:
    sqs = Sqs(away)
    one = settler(sqs)
    one.hide(["a"], 1)
    assert eventually(lambda: one._failures >= 2)
    assert one._not_before > time.monotonic() - 0.1
    sqs.answer = lambda _: {}
    assert eventually(lambda: one._failures == 0)


def test_a_repeated_failure_is_logged_at_its_1st_2nd_4th_time(
    settler: Callable[..., Settler], caplog: pytest.LogCaptureFixture
) -> None:
    one = settler(Sqs())
    batch = [settling.Settlement("a", None, 0.0, time.monotonic() + 60)]
    for _ in range(8):
        one._retry(batch, "away")
    assert caplog.text.count("settling 1 messages failed: away") == 4
