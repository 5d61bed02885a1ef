"""kombu's side of the transport: a connection as Celery uses it, on the real SQS server."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from kombu import Connection, Consumer, Exchange, Queue
from kombu.asynchronous import Hub, get_event_loop, set_event_loop
from kombu.transport.SQS import UndefinedQueueException

from testkit.sqs_proxy import Fault, SqsProxy
from testkit.task_message import task_message
from tests.waiting import eventually
from waproject.sqs import control, publisher, transport
from waproject.sqs.wire import Client, Unavailable

LATER_S = 60


class Lane:
    """A queue of its own, and connections to it."""

    def __init__(self) -> None:
        self.name = f"q-{uuid4().hex}"
        self.sqs = control.client("us-east-1")
        made = self.sqs.create_queue(QueueName=self.name, Attributes={"VisibilityTimeout": "120"})
        self.url = str(made["QueueUrl"])
        self.connections: list[Connection] = []

    def channel(self, **options: Any) -> Any:
        entry = {"url": self.url, "tasks": ("t",), "backoff_policy": {1: LATER_S}, "visibility_timeout": 120}
        given = {"predefined_queues": {self.name: entry}, "region": "us-east-1", "wait_time_seconds": 1, **options}
        connection = Connection("sqs://", transport=transport.Transport, transport_options=given)
        self.connections.append(connection)
        return connection.channel()

    def fill(self, number: int = 1) -> None:
        for n in range(number):
            self.sqs.send_message(QueueUrl=self.url, MessageBody=task_message("t", n))

    def counts(self) -> tuple[int, int]:
        """The messages that wait, and those that are hidden."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])

    def bodies(self) -> list[dict[str, Any]]:
        found = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        return [json.loads(each["Body"]) for each in found.get("Messages", ())]


@pytest.fixture
def lane(sqs_server: Any) -> Iterator[Lane]:
    one = Lane()
    yield one
    for connection in one.connections:
        connection.release()
    one.sqs.delete_queue(QueueUrl=one.url)


@pytest.fixture
def hub() -> Iterator[Hub]:
    """The event loop of this process, as in a worker."""
    before, hub = get_event_loop(), Hub()
    set_event_loop(hub)
    yield hub
    set_event_loop(before)


class Worker:
    """Consumes a lane as Celery does; keeps the messages that it got."""

    def __init__(self, lane: Lane, hub: Hub, prefetch: int = 10, fails: bool = False, **options: Any) -> None:
        self.got: list[Any] = []
        self.failed = 0
        self.channel = lane.channel(**options)
        self.channel.basic_qos(0, prefetch, False)
        self._hub, self._fails = hub, fails
        queue = Queue(lane.name, Exchange(""), routing_key=lane.name)
        self.consumer = Consumer(self.channel, [queue], on_message=self._take, accept=["json"], auto_declare=False)
        self.consumer.consume()

    def _take(self, message: Any) -> None:
        if self._fails:
            self.failed += 1
            raise RecursionError
        self.got.append(message)

    def until(self, condition: Callable[[], object]) -> bool:
        return bool(eventually(lambda: self._hub.run_once() or condition()))


def test_a_worker_makes_no_request_to_declare_its_queue(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = lane.channel()
    monkeypatch.setattr("kombu.transport.SQS.Channel.sqs", lambda *_, **__: pytest.fail("asked"))
    assert channel.queue_declare(lane.name, passive=True) == (lane.name, 0, 0)


def test_a_queue_that_is_not_predefined_is_refused_by_its_name(lane: Lane) -> None:
    with pytest.raises(UndefinedQueueException, match="'other'"):
        lane.channel().queue_declare("other")


def test_the_decoded_arguments_reach_celery_in_place_of_the_body(lane: Lane, hub: Hub) -> None:
    lane.fill()
    worker = Worker(lane, hub)
    assert worker.until(lambda: worker.got)
    (message,) = worker.got
    assert (message.body[0], message.decode()[0], message.content_type) == ([0], [0], None)
    assert message.delivery_info["sqs_queue"] == lane.url


def test_an_acknowledged_message_is_deleted_and_frees_its_slot(lane: Lane, hub: Hub) -> None:
    lane.fill(2)
    worker = Worker(lane, hub, prefetch=1)
    assert worker.until(lambda: worker.got)
    worker.got[0].ack()
    assert worker.until(lambda: len(worker.got) == 2)
    worker.got[1].ack()
    worker.channel.close()
    assert lane.counts() == (0, 0)


@pytest.mark.parametrize("settle", ["ack", "reject"])
def test_each_settled_message_frees_its_slot(settle: str, lane: Lane, hub: Hub) -> None:
    lane.fill(4)
    worker = Worker(lane, hub, prefetch=1)
    settled: list[Any] = []

    def settle_next() -> bool:
        for message in worker.got[len(settled) :]:
            getattr(message, settle)()
            settled.append(message)
        return len(settled) == 4

    assert worker.until(settle_next)


def test_no_more_messages_are_delivered_than_celery_takes(lane: Lane, hub: Hub) -> None:
    lane.fill(3)
    worker = Worker(lane, hub, prefetch=2)
    assert worker.until(lambda: len(worker.got) == 2)
    for _ in range(3):
        hub.run_once()
    assert len(worker.got) == 2
    worker.channel.close()
    assert lane.counts() == (3, 0)


def test_a_rejected_message_is_hidden_for_its_back_off_and_frees_its_slot(lane: Lane, hub: Hub) -> None:
    lane.fill()
    worker = Worker(lane, hub, prefetch=1)
    assert worker.until(lambda: worker.got)
    worker.got[0].reject(requeue=True)
    assert worker.channel.qos.can_consume()
    worker.channel.close()
    assert lane.counts() == (0, 1)


def test_a_delivery_that_celery_fails_to_take_frees_its_slot(lane: Lane, hub: Hub) -> None:
    lane.fill(3)
    worker = Worker(lane, hub, prefetch=1, fails=True)
    assert worker.until(lambda: worker.failed == 3)
    assert worker.channel.qos.can_consume()
    worker.channel.close()
    assert lane.counts() == (0, 3)


def test_a_stopping_worker_releases_what_it_has_not_acknowledged(lane: Lane, hub: Hub) -> None:
    lane.fill(3)
    worker = Worker(lane, hub, prefetch=2)
    assert worker.until(lambda: len(worker.got) == 2)
    worker.got[0].ack()
    worker.channel.close()
    assert (lane.counts(), worker.channel._served) == ((2, 0), {})


def test_a_cancelled_consumer_releases_what_was_not_delivered_only(lane: Lane, hub: Hub) -> None:
    lane.fill(3)
    worker = Worker(lane, hub, prefetch=1)
    assert worker.until(lambda: worker.got and lane.counts() == (0, 3))
    worker.consumer.cancel()
    lane.fill()
    assert eventually(lambda: lane.counts() == (3, 1))
    worker.got[0].ack()
    assert eventually(lambda: lane.counts() == (3, 0))


def test_a_closed_gate_receives_nothing(lane: Lane, hub: Hub) -> None:
    lane.fill()
    asked: list[int] = []

    def closed() -> bool:
        asked.append(1)
        return False

    worker = Worker(lane, hub, gate=closed)
    assert worker.until(lambda: len(asked) > 1)
    assert (worker.got, lane.counts()) == ([], (1, 0))


@pytest.mark.parametrize("no_ack", [True, False])
def test_without_an_event_loop_kombu_consumes(no_ack: bool, lane: Lane) -> None:
    channel = lane.channel()
    channel.basic_consume(lane.name, no_ack, lambda _: None, "tag")
    assert (channel._served, channel._consumers) == ({}, {"tag"})


def test_in_an_event_loop_too_kombu_consumes_what_needs_no_acknowledgement(lane: Lane, hub: Hub) -> None:
    channel = lane.channel()
    channel.basic_consume(lane.name, True, lambda _: None, "tag")
    assert channel._served == {}


@pytest.mark.parametrize(
    ("given", "attributes"),
    [({}, {}), ({"DelaySeconds": 0}, {"DelaySeconds": 0}), ({"delay_seconds": 7}, {"DelaySeconds": 7})],
)
def test_a_message_is_published_as_json_with_its_delay(given: Any, attributes: Any, lane: Lane) -> None:
    producer = lane.channel().connection.client.Producer()
    with transport.collected() as messages:
        producer.publish({"ä": 1}, routing_key=lane.name, **given)
    (message,) = messages
    assert (message.url, message.attributes) == (lane.url, attributes)
    assert json.loads(json.loads(message.body)["body"]) == {"ä": 1}


def test_collected_messages_are_not_sent_and_later_ones_are(lane: Lane) -> None:
    producer = lane.channel().connection.client.Producer()
    with transport.collected() as messages:
        producer.publish(1, routing_key=lane.name)
    producer.publish(2, routing_key=lane.name)
    assert (len(messages), [body["body"] for body in lane.bodies()]) == (1, ["2"])


def test_a_message_that_sqs_refuses_is_an_error_for_its_publisher(
    lane: Lane, sqs_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = SqsProxy(sqs_server.port)
    proxy.set(Fault.UNAVAILABLE)
    refusing = publisher.Publisher(Client("us-east-1", proxy.endpoint), deadline=0.2)
    monkeypatch.setattr(publisher, "shared", lambda _: refusing)
    with pytest.raises(Unavailable):
        lane.channel().connection.client.Producer().publish(1, routing_key=lane.name)
    proxy.close()


@pytest.mark.parametrize(
    ("suffix", "more"), [(".fifo", {}), ("", {"redelivered": True})], ids=["a FIFO queue", "a released message"]
)
def test_kombu_sends_what_cannot_share_a_request(
    suffix: str, more: dict[str, Any], lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr("kombu.transport.SQS.Channel._put", lambda _channel, queue, *_, **__: sent.append(queue))
    names = {lane.name: lane.url, f"{lane.name}.fifo": f"{lane.url}.fifo"}
    channel = lane.channel(predefined_queues={name: {"url": url} for name, url in names.items()})
    with transport.collected() as messages:
        channel._put(f"{lane.name}{suffix}", {"properties": {}, "body": "1", **more})
    assert (sent, messages) == ([f"{lane.name}{suffix}"], [])
