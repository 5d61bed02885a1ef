"""Requests of many threads share one, and each gets its own answer."""

import threading
import time
from typing import Any

import pytest

from waproject.sqs.publisher import Outgoing, Publisher
from waproject.sqs.wire import Client, Refused, Unavailable

URL = "http://127.0.0.1:1/000000000000/q"


class Recorded(Client):
    """Answers without a network; `failing` bodies fail as SQS fails single entries."""

    def __init__(self, failing: str = "") -> None:
        super().__init__("us-east-1")
        self.requests: list[list[str]] = []
        self.failing = failing
        self.away = False

    def call(self, action: str, parameters: dict[str, Any], timeout: float) -> dict[str, Any]:
        if self.away:
            raise Unavailable("away")
        entries = parameters.get("Entries") or [{"Id": "0", **parameters}]
        self.requests.append([entry["MessageBody"] for entry in entries])
        bad = [entry["Id"] for entry in entries if entry["MessageBody"] == self.failing]
        return {"Failed": [{"Id": n, "Code": "InvalidMessageContents", "SenderFault": True} for n in bad]}


def test_twenty_five_messages_are_three_requests() -> None:
    client = Recorded()
    assert not any(Publisher(client).send_many([Outgoing(URL, str(n)) for n in range(25)]))
    assert [len(request) for request in client.requests] == [10, 10, 5]


def test_a_batch_stays_under_one_mebibyte_of_bytes() -> None:
    client = Recorded()
    Publisher(client).send_many([Outgoing(URL, "Ж" * 300_000) for _ in range(2)])
    assert len(client.requests) == 2


def test_a_refused_message_does_not_affect_others_of_its_batch() -> None:
    errors = Publisher(Recorded(failing="bad")).send_many([Outgoing(URL, body) for body in ("good", "bad")])
    assert [type(error) for error in errors] == [type(None), Refused]


def test_threads_share_requests() -> None:
    client = Recorded()
    publisher = Publisher(client)
    together = threading.Barrier(40)

    def send(n: int) -> None:
        together.wait()
        publisher.send(Outgoing(URL, str(n)))

    threads = [threading.Thread(target=send, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(body for request in client.requests for body in request) == sorted(map(str, range(40)))
    assert len(client.requests) < 40


def test_the_leader_of_a_shared_request_waits_for_others_in_the_next_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among others it is never alone, though the last request was its own."""
    publisher = Publisher(Recorded())
    monkeypatch.setattr("waproject.sqs.publisher.BATCH_WAIT_S", 2.0)
    publisher._last_flush[URL] = (time.monotonic(), None)
    began = time.monotonic()
    publisher.send(Outgoing(URL, "gathered"))
    gathered = time.monotonic()
    publisher.send(Outgoing(URL, "alone by now"))
    assert gathered - began >= 2.0 > time.monotonic() - gathered


@pytest.mark.parametrize("wait_for_batch", [True, False])
def test_a_thread_that_sends_alone_waits_only_with_wait_for_batch(
    wait_for_batch: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = Publisher(Recorded())
    monkeypatch.setattr("waproject.sqs.publisher.BATCH_WAIT_S", 1.0)
    publisher.send(Outgoing(URL, "alone"))
    began = time.monotonic()
    publisher.send(Outgoing(URL, "alone again"), wait_for_batch=wait_for_batch)
    assert (time.monotonic() - began >= 1.0) is wait_for_batch


def test_while_sqs_is_unavailable_only_the_first_send_waits() -> None:
    client = Recorded()
    client.away = True
    publisher = Publisher(client, deadline=0.1, retry_after=60)
    for _ in range(2):
        with pytest.raises(Unavailable):
            publisher.send(Outgoing(URL, "x"))
    with pytest.raises(Unavailable, match="less than a second ago"):
        publisher.send(Outgoing(URL, "x"))
