"""When a queue is asked for messages."""

import threading
import time
from typing import Any, cast

import pytest

from tests.waiting import eventually
from waproject.sqs import receiving
from waproject.sqs.receiving import Received, Receiver
from waproject.sqs.wire import MAX_BATCH_ENTRIES, Client, Unavailable


class Backlog:
    """A queue of so many messages; counts requests that would have waited for some, and those that would not."""

    def __init__(self, messages: int) -> None:
        self.left = messages
        self.waited = self.asked_at_once = 0
        self.fails_after: int | None = None

    def call(self, action: str, parameters: dict[str, Any], timeout: float) -> dict[str, Any]:
        waits = bool(parameters["WaitTimeSeconds"])
        self.waited, self.asked_at_once = self.waited + waits, self.asked_at_once + (not waits)
        if self.fails_after is not None and self.waited + self.asked_at_once > self.fails_after:
            raise Unavailable("away")
        given = min(self.left, MAX_BATCH_ENTRIES)
        self.left -= given
        if waits and not given:
            threading.Event().wait(0.02)
        return {"Messages": [{"ReceiptHandle": "r"}] * given}


def handed_over(queue: Backlog, *, capacity: int = 1000, batch_size: int = 30) -> list[int]:
    """How many messages came together each time, until the queue was empty or failed."""
    found: list[int] = []
    receiver = Receiver(
        cast(Client, queue), "url", take=lambda received: found.append(len(received)), release=lambda _: None,
        capacity=capacity, linger=0.0, wait_time=20, batch_size=batch_size,
    )  # fmt: skip
    asked = queue.left
    receiver.start()
    eventually(lambda: sum(found) >= asked or (queue.fails_after is not None and bool(found)))
    receiver.stop()
    receiver.join()
    return found


def test_full_answers_are_passed_on_together() -> None:
    queue = Backlog(24)
    assert handed_over(queue) == [24]
    assert queue.asked_at_once == 2


def test_no_more_than_the_batch_size_is_passed_on_together() -> None:
    found = handed_over(Backlog(95))
    assert (sum(found), max(found)) == (95, 30)


def test_without_capacity_for_more_a_full_answer_is_passed_on_alone() -> None:
    assert max(handed_over(Backlog(20), capacity=20, batch_size=100)) <= 20


def test_messages_received_before_a_failure_are_passed_on() -> None:
    queue = Backlog(100)
    queue.fails_after = 1
    assert handed_over(queue) == [10]


class Queue:
    """A queue whose first answers are full; remembers how long each request would have waited, by its thread."""

    def __init__(self, full_answers: int) -> None:
        self._full = full_answers
        self._lock = threading.Lock()
        self.waits: dict[str, set[int]] = {}

    def call(self, action: str, parameters: dict[str, Any], timeout: float) -> dict[str, Any]:
        with self._lock:
            self.waits.setdefault(threading.current_thread().name, set()).add(parameters["WaitTimeSeconds"])
            self._full -= 1
            full = self._full >= 0
        threading.Event().wait(0.01)
        return {"Messages": [{"ReceiptHandle": "r"}] * MAX_BATCH_ENTRIES} if full else {}


def test_a_backlog_starts_a_second_request_that_does_not_long_poll() -> None:
    queue = Queue(full_answers=20)
    receiver = Receiver(
        cast(Client, queue),
        "url",
        take=lambda _: None,
        release=lambda _: None,
        capacity=10_000,
        linger=0.1,
        wait_time=20,
    )
    receiver.start()
    assert eventually(lambda: len(queue.waits) == 2)
    receiver.stop()
    receiver.join()
    assert queue.waits == {"sqs-receive-0": {20}, "sqs-receive-1": {0}}


class FullRoom:
    """A receiver with capacity for twenty, of a backlog of fifty."""

    def __init__(self) -> None:
        self.queue, self.found = Backlog(50), 0
        self.receiver = Receiver(
            cast(Client, self.queue), "url", take=self.take, release=self.take,
            capacity=20, linger=0.0, wait_time=20, batch_size=10,
        )  # fmt: skip
        self.receiver.start()
        assert eventually(lambda: self.found >= 20)

    def take(self, received: list[Any]) -> None:
        self.found += len(received)

    def left_at_the_end(self) -> int:
        self.receiver.stop()
        self.receiver.join()
        return self.queue.left


def test_no_more_is_requested_than_the_capacity_allows() -> None:
    assert FullRoom().left_at_the_end() == 30


def test_settled_messages_free_their_capacity() -> None:
    capacity = FullRoom()
    capacity.receiver.free(10)
    assert eventually(lambda: capacity.found >= 30)
    assert capacity.left_at_the_end() == 20


class Asked:
    """A queue with one message; keeps the first request."""

    def __init__(self, message: dict[str, Any]) -> None:
        self.requests: list[tuple[str, dict[str, Any], float]] = []
        self._messages = [message]

    def call(self, action: str, parameters: dict[str, Any], timeout: float) -> dict[str, Any]:
        self.requests.append((action, parameters, timeout))
        threading.Event().wait(0.01)
        found, self._messages = self._messages, []
        return {"Messages": found}


def received(queue: Any, *, then_stop: bool = False) -> tuple[list[Received], list[Received]]:
    """What is taken and what is released of the first answer."""
    taken: list[Received] = []
    released: list[Received] = []
    receiver = Receiver(
        cast(Client, queue), "url", take=taken.extend, release=released.extend, capacity=20, linger=0.0, wait_time=7
    )
    if then_stop:
        call = queue.call

        def stopped(*asked: object) -> Any:
            receiver.stop()
            return call(*asked)

        queue.call = stopped
    receiver.start()
    assert eventually(lambda: bool(taken or released))
    receiver.stop()
    receiver.join()
    return taken, released


def test_a_request_long_polls_for_ten_messages_and_their_counts() -> None:
    queue = Asked({"ReceiptHandle": "r"})
    received(queue)
    assert queue.requests[0] == (
        "ReceiveMessage",
        {
            "QueueUrl": "url",
            "MaxNumberOfMessages": 10,
            "WaitTimeSeconds": 7,
            "MessageSystemAttributeNames": ["ApproximateReceiveCount", "SentTimestamp"],
        },
        17.0,
    )


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"ReceiptHandle": "r"}, ("", "r", "", 1, 0)),
        ({"ReceiptHandle": "r", "MessageId": "m", "Body": "b", "Attributes": {}}, ("m", "r", "b", 1, 0)),
        (
            {"ReceiptHandle": "r", "Attributes": {"ApproximateReceiveCount": "4", "SentTimestamp": "1790000000000"}},
            ("", "r", "", 4, 1_790_000_000_000),
        ),
    ],
)
def test_a_message_is_read_with_its_receives_and_its_age(message: dict[str, Any], expected: tuple[Any, ...]) -> None:
    before = time.monotonic()
    ((one,), _) = received(Asked(message))
    assert (one.message_id, one.handle, one.body, one.receive_count, one.sent_at) == expected
    assert before <= one.at <= time.monotonic()


COUNT_IS_MISSING = "does not say how often a message was received"


def test_a_server_that_does_not_count_receives_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    handed_over(Backlog(35))
    assert caplog.text.count(COUNT_IS_MISSING) == 1


def test_a_server_that_counts_receives_is_not_reported(caplog: pytest.LogCaptureFixture) -> None:
    received(Asked({"ReceiptHandle": "r", "Attributes": {"ApproximateReceiveCount": "1"}}))
    assert COUNT_IS_MISSING not in caplog.text


def test_what_arrives_after_a_stop_is_released_and_not_taken() -> None:
    taken, released = received(Asked({"ReceiptHandle": "r"}), then_stop=True)
    assert (taken, [one.handle for one in released]) == ([], ["r"])


class Away:
    """A queue that fails so often, then is empty."""

    def __init__(self, error: Exception, times: int) -> None:
        self.asked = 0
        self._error, self._times = error, times

    def call(self, *_: object) -> dict[str, Any]:
        self.asked += 1
        if self.asked <= self._times:
            raise self._error
        threading.Event().wait(0.01)
        return {"Messages": [{"ReceiptHandle": "r"}]}


@pytest.mark.parametrize(
    ("error", "line", "times"),
    [(Unavailable("away"), "receiving from sqs failed: away", 3), (KeyError("x"), "receiving failed unexpectedly", 5)],
)
def test_receiving_goes_on_after_failures_which_are_logged_ever_less(
    error: Exception, line: str, times: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "back_off", lambda _: 0.01)
    taken, _ = received(Away(error, 5))
    assert (bool(taken), caplog.text.count(line)) == (True, times)


def test_a_long_poll_does_not_keep_a_process_that_ends() -> None:
    receiver = Receiver(
        cast(Client, Backlog(0)), "url", take=lambda _: None, release=lambda _: None,
        capacity=20, linger=0.0, wait_time=20,
    )  # fmt: skip
    assert all(thread.daemon for thread in receiver._threads)
