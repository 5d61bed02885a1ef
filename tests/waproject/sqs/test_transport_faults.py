"""Faults of SQS and the network, one by one: no message is lost or stays hidden, and no request is wasted."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from botocore.credentials import Credentials
from kombu.asynchronous import Hub

from testkit.sqs_proxy import Fault, SqsProxy
from testkit.sqs_server import SqsServer
from testkit.task_message import task_message
from tests.waiting import PATIENCE_S, eventually
from waproject.sqs import consumer as consuming
from waproject.sqs import envelope
from waproject.sqs.consumer import QueueConsumer, QueueOptions
from waproject.sqs.publisher import Outgoing, Publisher
from waproject.sqs.receiving import Received, always_open
from waproject.sqs.settling import Settler
from waproject.sqs.wire import Client, Unavailable

# Longer than any test; and of the one test that waits for it.
VISIBILITY_S = 60
SHORT_VISIBILITY_S = 2
PASSING = [Fault.UNAVAILABLE, Fault.THROTTLED, Fault.EXPIRED, Fault.CLOSED]


@pytest.fixture(scope="module")
def server() -> Iterator[SqsServer]:
    with SqsServer() as running:
        yield running


@pytest.fixture
def proxy(server: SqsServer) -> Iterator[SqsProxy]:
    faulty = SqsProxy(server.port)
    yield faulty
    faulty.close()


@pytest.fixture
def client(proxy: SqsProxy) -> Client:
    return Client("us-east-1", proxy.endpoint)


class Queue:
    """A queue of its own for each test, looked at beside the proxy."""

    def __init__(self, server: SqsServer, visibility_s: int = VISIBILITY_S) -> None:
        self.name = f"q-{uuid4().hex}"
        self.visibility_s = visibility_s
        self.url = server.create_queue(self.name, VisibilityTimeout=str(visibility_s))
        self._server = server
        self._client = Client("us-east-1", server.endpoint)

    def counts(self) -> dict[str, int]:
        return dict(self._server.counts()["queues"][self.name])

    def fill(self, number: int) -> None:
        tasks = [Outgoing(self.url, task_message("t", {"n": n})) for n in range(number)]
        assert not any(Publisher(self._client).send_many(tasks))

    def receive(self) -> list[str]:
        """The handles of up to ten messages."""
        asked = {"QueueUrl": self.url, "MaxNumberOfMessages": 10}
        answer = self._client.call("ReceiveMessage", asked, 5.0)
        return [message["ReceiptHandle"] for message in answer.get("Messages", ())]


@pytest.fixture
def queue(server: SqsServer) -> Queue:
    return Queue(server)


class Consumer:
    """A consumer in a real event loop; `delivered` has its deliveries to Celery."""

    def __init__(
        self,
        client: Client,
        queue: Queue,
        *,
        capacity: bool = True,
        gate: Callable[[], bool] = always_open,
        joined_tasks: tuple[str, ...] = (),
        failures: int = 0,
    ) -> None:
        self._hub = Hub()
        self._ended = False
        self.delivered: list[dict[Any, Any]] = []
        self.undelivered: list[str] = []
        self._failures = failures
        options = QueueOptions(
            queue.url, ("t",), joined_tasks, backoff_policy={1: 1}, visibility_timeout=queue.visibility_s
        )
        self.consumer = QueueConsumer(
            client, queue.name, options,
            hub=self._hub, wait_time=1, has_capacity=lambda: capacity, deliver=self._deliver,
            undelivered=self.undelivered.append, gate=gate,
        )  # fmt: skip
        self.consumer.start()

    def _deliver(self, payload: dict[Any, Any]) -> None:
        if self._failures:
            self._failures -= 1
            raise RecursionError
        self.delivered.append(payload)

    def run_until(self, condition: Callable[[], object], seconds: float = PATIENCE_S) -> bool:
        until = time.monotonic() + seconds
        while not (done := condition()) and time.monotonic() < until:
            self._hub.run_once()
        return bool(done)

    def stop(self) -> None:
        self._ended = True
        self.consumer.stop()

    def end(self) -> None:
        if not self._ended:
            self.stop()
            self.consumer.close()


@pytest.fixture
def consume(client: Client, queue: Queue) -> Iterator[Callable[..., Consumer]]:
    started: list[Consumer] = []

    def start(**options: Any) -> Consumer:
        started.append(Consumer(client, queue, **options))
        return started[-1]

    yield start
    for consumer in started:
        consumer.end()


def test_only_the_failed_entries_of_a_send_batch_are_retried(proxy: SqsProxy, client: Client, queue: Queue) -> None:
    proxy.set(Fault.ENTRIES_FAIL, one_in=3)
    errors = Publisher(client, deadline=10).send_many([Outgoing(queue.url, str(n)) for n in range(10)])
    assert (errors, queue.counts()["sent"]) == ([None] * 10, 10)


def test_the_failed_entries_of_a_delete_batch_are_retried(proxy: SqsProxy, client: Client, queue: Queue) -> None:
    queue.fill(10)
    proxy.set(Fault.ENTRIES_FAIL, one_in=3)
    settler = Settler(client, queue.url, 60)
    settler.delete(queue.receive())
    assert (settler.close(10), queue.counts()["deleted"]) == (0, 10)


def test_a_stale_handle_is_not_retried_and_does_not_affect_others(
    server: SqsServer, proxy: SqsProxy, client: Client, queue: Queue
) -> None:
    queue.fill(1)
    settler = Settler(client, queue.url, 60)
    before = server.counts()["requests"].get("DeleteMessageBatch", 0)
    settler.delete(["stale", *queue.receive()])
    assert (settler.close(10), queue.counts()["deleted"]) == (0, 1)
    assert server.counts()["requests"]["DeleteMessageBatch"] == before + 1


@pytest.mark.parametrize("fault", PASSING)
def test_a_send_is_retried_through_a_transient_fault(
    fault: Fault, proxy: SqsProxy, client: Client, queue: Queue
) -> None:
    proxy.set(fault, one_in=2)
    publisher = Publisher(client, deadline=10)
    for n in range(4):
        publisher.send(Outgoing(queue.url, str(n)))
    assert queue.counts()["sent"] == 4


@pytest.mark.parametrize("fault", PASSING)
def test_a_delete_is_retried_through_a_transient_fault(
    fault: Fault, proxy: SqsProxy, client: Client, queue: Queue
) -> None:
    queue.fill(1)
    proxy.set(fault)
    settler = Settler(client, queue.url, 60)
    settler.delete(queue.receive())
    assert eventually(lambda: proxy.hits >= 2)
    proxy.set(None)
    assert (settler.close(10), queue.counts()["deleted"]) == (0, 1)


@pytest.mark.parametrize("fault", PASSING)
def test_a_receive_is_retried_through_a_transient_fault(
    fault: Fault, proxy: SqsProxy, queue: Queue, consume: Callable[..., Consumer]
) -> None:
    proxy.set(fault)
    consumer = consume()
    assert eventually(lambda: proxy.hits >= 2)
    proxy.set(None)
    queue.fill(1)
    assert consumer.run_until(lambda: consumer.delivered)


def test_a_worker_survives_refused_connections(
    proxy: SqsProxy, client: Client, queue: Queue, consume: Callable[..., Consumer]
) -> None:
    proxy.close()
    consumer = consume()
    queue.fill(1)
    with pytest.raises(Unavailable):
        Publisher(client, deadline=0.3).send(Outgoing(queue.url, "x"))
    proxy.open()
    assert consumer.run_until(lambda: consumer.delivered)


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


def test_while_the_gate_is_closed_nothing_is_received(queue: Queue, consume: Callable[..., Consumer]) -> None:
    gate = Switch(False)
    consumer = consume(gate=gate)
    queue.fill(3)
    assert not consumer.run_until(lambda: consumer.delivered, 1)
    assert queue.counts()["most_receives"] == 0
    gate.is_open = True
    assert consumer.run_until(lambda: len(consumer.delivered) == 3)


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


def test_expired_credentials_are_looked_up_again(
    proxy: SqsProxy, queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    file = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    file.write_text("[default]\naws_access_key_id = OLD\naws_secret_access_key = x\n")
    client = Client("us-east-1", proxy.endpoint)
    asked = {"QueueUrl": queue.url, "AttributeNames": ["QueueArn"]}
    client.call("GetQueueAttributes", asked, 5.0)
    file.write_text(file.read_text().replace("OLD", "NEW"))
    proxy.set(Fault.EXPIRED)
    with pytest.raises(Unavailable):
        client.call("GetQueueAttributes", asked, 5.0)
    proxy.set(None)
    client.call("GetQueueAttributes", asked, 5.0)
    assert "Credential=NEW/" in proxy.last_authorization


class StillExpired(Credentials):  # type: ignore[misc]
    """As botocore's, when a refresh brings credentials that have expired."""

    def get_frozen_credentials(self) -> None:
        raise RuntimeError("Credentials were refreshed, but the refreshed credentials are still expired.")


def test_credentials_that_cannot_be_refreshed_are_a_transient_fault(queue: Queue) -> None:
    client = Client("us-east-1", queue.url, _credentials=StillExpired("a", "b"))
    with pytest.raises(Unavailable, match="RuntimeError"):
        client.call("SendMessage", {"QueueUrl": queue.url, "MessageBody": "x"}, 1.0)


class FailsOnce(Client):
    """Raises an unexpected exception on the first call."""

    failed = threading.Event()

    def call(self, action: str, parameters: dict[str, Any], timeout: float) -> dict[str, Any]:
        if not self.failed.is_set():
            self.failed.set()
            raise KeyError(action)
        return super().call(action, parameters, timeout)


def test_deletes_continue_after_an_unexpected_error(server: SqsServer, queue: Queue) -> None:
    queue.fill(1)
    settler = Settler(FailsOnce("us-east-1", server.endpoint), queue.url, 60)
    settler.delete(queue.receive())
    assert (settler.close(10), queue.counts()["deleted"]) == (0, 1)


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
