"""The fake SQS server: its faults, and what it has in common with SQS."""

import asyncio
import socket
from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config

from deploy.local.ports import is_open
from testkit.sqs_server import SqsServer
from testkit.sqs_server.queues import Message, Queue, Queues
from tests.waiting import eventually


@pytest.fixture(scope="module")
def server() -> Iterator[SqsServer]:
    with SqsServer() as running:
        yield running


@pytest.fixture
def queue(server: SqsServer, request: pytest.FixtureRequest) -> str:
    return server.create_queue(f"{request.node.name}-outgoing")


def send(server: SqsServer, url: str) -> None:
    sqs = boto3.client(
        "sqs", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="test",
        aws_secret_access_key="test", config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    sqs.send_message(QueueUrl=url, MessageBody="task")


def stored(server: SqsServer, url: str) -> int:
    counts = server.counts()["queues"][url.rpartition("/")[2]]
    return int(counts["waiting"] + counts["delayed"])


def test_a_server_that_loses_drops_what_it_accepts_and_counts_it(server: SqsServer, queue: str) -> None:
    before = server.counts()["lost"]
    server.lose("outgoing")
    send(server, queue)
    server.lose("")
    assert (stored(server, queue), server.counts()["lost"] - before) == (0, 1)


def test_a_server_that_doubles_keeps_two_copies_and_counts_it(server: SqsServer, queue: str) -> None:
    before = server.counts()["doubled"]
    server.double(True)
    send(server, queue)
    server.double(False)
    assert (stored(server, queue), server.counts()["doubled"] - before) == (2, 1)


def test_a_server_that_is_away_breaks_connections_and_comes_back_with_its_messages(
    server: SqsServer, queue: str
) -> None:
    send(server, queue)
    with socket.create_connection(("127.0.0.1", server.port), 10) as client:
        server.away(2.0)
        assert client.recv(1) == b""
    refused = not is_open(server.port)
    assert eventually(lambda: is_open(server.port))
    assert (refused, stored(server, queue), server.counts()["broken_connections"] > 0) == (True, 1, True)


def test_forgetting_drops_messages_and_ends_faults(server: SqsServer, queue: str) -> None:
    server.double(True)
    server.forget()
    send(server, queue)
    assert stored(server, queue) == 1


def test_a_message_that_was_received_again_is_not_deleted_by_the_handle_of_before() -> None:
    async def left() -> tuple[int, int]:
        queue = Queue("q", Queues())
        queue.send("task", None)
        (first,) = await queue.receive(1, 0, 0)
        handle = str(first.handle)
        (second,) = await queue.receive(1, 5, 60)
        queue.delete(handle)
        after_first = queue.counts()["in_flight"]
        queue.delete(str(second.handle))
        return after_first, queue.counts()["in_flight"]

    assert asyncio.run(left()) == (1, 0)


def test_a_long_poll_that_has_ended_takes_no_message_from_one_that_waits() -> None:
    async def received() -> list[list[Message]]:
        queue = Queue("q", Queues())
        waiting = [asyncio.ensure_future(queue.receive(1, 30, 60)) for _ in range(2)]
        await asyncio.sleep(0)
        assert await queue.receive(1, 0.01, 60) == []
        queue.send("one", None)
        queue.send("two", None)
        return await asyncio.gather(*waiting)

    assert sorted(message.body for messages in asyncio.run(received()) for message in messages) == ["one", "two"]
