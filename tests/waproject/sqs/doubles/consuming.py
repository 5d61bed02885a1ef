"""A queue and a consumer of one test, on the SQS-compatible server with faults."""

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from kombu.asynchronous import Hub

from testkit.sqs_server import SqsServer
from testkit.task_message import task_message
from tests.waiting import PATIENCE_S
from waproject.sqs.consumer import QueueConsumer, QueueOptions
from waproject.sqs.publisher import Outgoing, Publisher
from waproject.sqs.receiving import always_open
from waproject.sqs.wire import Client

# Longer than any test.
VISIBILITY_S = 60


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
