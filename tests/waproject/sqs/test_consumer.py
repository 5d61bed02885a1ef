"""A consumer stops, waits at its gate, extends visibility and falls back, and no message is lost or stays hidden."""

import threading
import time
from collections.abc import Callable
from typing import Any, cast

import pytest
from kombu.asynchronous import Hub

from testkit.sqs_server import SqsServer
from testkit.task_message import task_message
from tests.waproject.sqs.doubles.consuming import Consumer, Queue
from waproject.sqs import consumer as consuming
from waproject.sqs import envelope
from waproject.sqs.consumer import QueueConsumer, QueueOptions
from waproject.sqs.publisher import Outgoing, Publisher
from waproject.sqs.receiving import Received
from waproject.sqs.wire import Client

# Of the tests that wait for it.
SHORT_VISIBILITY_S = 2


def test_a_stopping_worker_releases_unstarted_messages_at_once(queue: Queue, consume: Callable[..., Consumer]) -> None:
    queue.fill(10)
    consumer = consume(capacity=False)
    assert consumer.run_until(lambda: queue.counts()["in_flight"] == 10)
    consumer.end()
    assert queue.counts()["waiting"] == 10


def test_messages_of_a_stopping_workers_last_long_poll_are_released(
    queue: Queue, consume: Callable[..., Consumer]
) -> None:
    consumer = consume()
    time.sleep(0.3)  # its long poll is under way
    consumer.stop()
    queue.fill(1)
    consumer.consumer.close()
    assert queue.counts()["waiting"] == 1


class Switch:
    """A gate that is opened and closed by hand."""

    def __init__(self, is_open: bool) -> None:
        self.is_open = is_open

    def __call__(self) -> bool:
        return self.is_open


def test_a_consumer_whose_gate_fails_in_the_event_loop_goes_on_delivering(
    queue: Queue, consume: Callable[..., Consumer]
) -> None:
    loop, failures = threading.get_ident(), [MemoryError()]

    def gate() -> bool:
        if threading.get_ident() == loop and failures:
            raise failures.pop()
        return True

    consumer = consume(gate=gate)
    queue.fill(1)
    with pytest.raises(MemoryError):
        consumer.run_until(lambda: consumer.delivered)
    queue.fill(1)
    assert consumer.run_until(lambda: len(consumer.delivered) == 2)


def test_while_the_gate_is_closed_nothing_is_received(queue: Queue, consume: Callable[..., Consumer]) -> None:
    gate = Switch(False)
    consumer = consume(gate=gate)
    queue.fill(3)
    assert not consumer.run_until(lambda: consumer.delivered, 1)
    assert queue.counts()["most_receives"] == 0
    gate.is_open = True
    assert consumer.run_until(lambda: len(consumer.delivered) == 3)


def test_after_a_gate_that_raised_once_the_worker_delivers_as_before(
    queue: Queue, consume: Callable[..., Consumer]
) -> None:
    asked: list[bool] = []

    def gate() -> bool:
        if threading.current_thread() is not threading.main_thread():  # the receiver asks too
            return True
        asked.append(len(asked) > 1)
        if len(asked) == 2:
            raise RuntimeError("the gate is broken")  # kombu logs what a timer raises
        return asked[-1]

    consumer = consume(gate=gate)
    queue.fill(1)
    assert consumer.run_until(lambda: len(asked) == 2)
    queue.fill(1)
    assert consumer.run_until(lambda: len(consumer.delivered) == 2)


def test_messages_received_before_the_gate_closed_wait_and_are_not_received_again(
    queue: Queue, consume: Callable[..., Consumer]
) -> None:
    gate = Switch(True)
    consumer = consume(gate=gate)
    time.sleep(0.3)  # its long poll is under way
    gate.is_open = False
    queue.fill(3)
    assert not consumer.run_until(lambda: consumer.delivered, 1)
    gate.is_open = True
    assert consumer.run_until(lambda: len(consumer.delivered) == 3)
    assert queue.counts()["most_receives"] == 1


def test_messages_behind_a_gate_that_stays_closed_are_hidden_for_their_back_off(
    queue: Queue, consume: Callable[..., Consumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "MAX_GATED_S", 0.2)
    gate = Switch(True)
    consumer = consume(gate=gate)
    time.sleep(0.3)
    gate.is_open = False
    queue.fill(3)
    assert consumer.run_until(lambda: queue.counts()["waiting"] == 3)
    assert (consumer.delivered, queue.counts()["most_receives"]) == ([], 1)


def test_a_message_stays_hidden_while_its_task_runs_longer_than_the_visibility_timeout(
    server: SqsServer, client: Client
) -> None:
    queue = Queue(server, SHORT_VISIBILITY_S)
    queue.fill(1)
    consumer = Consumer(client, queue)
    try:
        assert consumer.run_until(lambda: consumer.delivered)
        assert not consumer.run_until(lambda: len(consumer.delivered) > 1, SHORT_VISIBILITY_S * 2)
        assert queue.counts()["waiting"] == 0
    finally:
        consumer.end()


def test_a_message_is_hidden_no_longer_than_a_task_may_take(
    server: SqsServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "MAX_EXTENDED_S", 0.0)
    queue = Queue(server, SHORT_VISIBILITY_S)
    queue.fill(1)
    consumer = Consumer(client, queue)
    try:
        assert consumer.run_until(lambda: len(consumer.delivered) > 1)
    finally:
        consumer.end()


class Recorder:
    """SQS as a settler sees it; records the requests."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def call(self, action: str, parameters: dict[str, Any], timeout: float) -> dict[str, Any]:
        self.asked += [(action, entry) for entry in parameters["Entries"]]
        return {}


def test_visibility_is_extended_from_a_quarter_of_the_timeout_to_fifteen_minutes() -> None:
    recorder = Recorder()
    consumer = QueueConsumer(
        cast(Client, recorder), "q", QueueOptions("url", visibility_timeout=60),
        hub=Hub(), wait_time=1, has_capacity=lambda: True, deliver=lambda _: None, undelivered=lambda _: None,
    )  # fmt: skip
    now = time.monotonic()
    held = [Received(str(age), str(age), "", 1, now - age) for age in (0, 10, 20, 890, 910)]
    consumer._waiting.extend(consuming.Delivery({}, [message]) for message in held)
    consumer._extend()
    consumer._settler.close(10)
    hidden = [(action, entry["ReceiptHandle"], entry["VisibilityTimeout"]) for action, entry in recorder.asked]
    assert hidden == [("ChangeMessageVisibilityBatch", age, 60) for age in ("20", "890")]


def test_failed_joined_messages_are_retried_alone_with_their_original_arguments(
    queue: Queue, consume: Callable[..., Consumer]
) -> None:
    queue.fill(3)
    consumer = consume(joined_tasks=("t",))
    assert consumer.run_until(lambda: consumer.delivered)
    (joined,) = consumer.delivered
    for argument in joined[envelope.DECODED][0]:
        argument["n"] = "changed by the task"
    consumer.consumer.reject(joined["properties"]["delivery_tag"])
    assert consumer.run_until(lambda: len(consumer.delivered) == 4)
    alone = [delivered[envelope.DECODED][0] for delivered in consumer.delivered[1:]]
    assert sorted(args[0]["n"] for args in alone) == [0, 1, 2]


def test_a_message_on_which_celery_raises_is_hidden_for_its_back_off_and_the_others_are_delivered(
    queue: Queue, consume: Callable[..., Consumer]
) -> None:
    queue.fill(3)
    consumer = consume(failures=1)
    assert consumer.run_until(lambda: len(consumer.delivered) == 2)
    assert len(consumer.undelivered) == 1
    assert consumer.run_until(lambda: len(consumer.delivered) == 3)


def test_messages_that_cannot_be_joined_are_delivered_alone(
    queue: Queue, consume: Callable[..., Consumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("waproject.sqs.joining.join", None)
    tasks = [Outgoing(queue.url, task_message("t", n)) for n in range(3)]
    consumer = consume(joined_tasks=("t",))
    assert not any(Publisher(Client("us-east-1", queue.url.partition("/0")[0])).send_many(tasks))
    assert consumer.run_until(lambda: len(consumer.delivered) == 3)
