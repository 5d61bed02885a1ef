"""Faults of SQS and the network, one by one: no message is lost or stays hidden, and no request is wasted."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials

from testkit.sqs_proxy import Fault, SqsProxy
from testkit.sqs_server import SqsServer
from tests.waiting import eventually
from tests.waproject.sqs.doubles.consuming import Consumer, Queue
from waproject.sqs.publisher import Outgoing, Publisher
from waproject.sqs.settling import Settler
from waproject.sqs.wire import Client, Unavailable

PASSING = [Fault.UNAVAILABLE, Fault.THROTTLED, Fault.EXPIRED, Fault.CLOSED]


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
