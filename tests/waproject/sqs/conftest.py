"""One SQS-compatible server with faults for the tests of a module, and a queue of its own for each test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from testkit.sqs_proxy import SqsProxy
from testkit.sqs_server import SqsServer
from tests.waproject.sqs.doubles.consuming import Consumer, Queue
from waproject.sqs.wire import Client


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


@pytest.fixture
def queue(server: SqsServer) -> Queue:
    return Queue(server)


@pytest.fixture
def consume(client: Client, queue: Queue) -> Iterator[Callable[..., Consumer]]:
    started: list[Consumer] = []

    def start(**options: Any) -> Consumer:
        started.append(Consumer(client, queue, **options))
        return started[-1]

    yield start
    for consumer in started:
        consumer.end()
