"""Messages of the bus: received once, and nothing that one contains stops the receiver."""

import json
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from waproject.bus import flower_login, messages
from waproject.sqs.wire import Unavailable

URL = "https://sqs.test/1/bus"


class Sqs:
    """Gives these bodies once; records the requests."""

    def __init__(self, *bodies: str) -> None:
        self.asked: list[tuple[str, dict[str, Any], float]] = []
        self._bodies = [*bodies]

    def call(self, action: str, parameters: dict[str, Any], timeout: float) -> dict[str, Any]:
        self.asked.append((action, parameters, timeout))
        found, self._bodies = (self._bodies, []) if action == "ReceiveMessage" else ([], self._bodies)
        return {"Messages": [{"ReceiptHandle": f"h{n}", "Body": body} for n, body in enumerate(found)]}


def on(monkeypatch: pytest.MonkeyPatch, *bodies: str) -> Sqs:
    sqs = Sqs(*bodies)
    monkeypatch.setattr(messages, "_client", lambda: sqs)
    return sqs


def test_messages_are_deleted_before_they_are_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    sqs = on(monkeypatch, '{"n": 1}', "[2]", "0")
    assert messages.receive(URL, 3) == [{"n": 1}, [2], 0]
    assert sqs.asked == [
        ("ReceiveMessage", {"QueueUrl": URL, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 3}, 13.0),
        ("DeleteMessageBatch", {"QueueUrl": URL, "Entries": [
            {"Id": "0", "ReceiptHandle": "h0"}, {"Id": "1", "ReceiptHandle": "h1"}, {"Id": "2", "ReceiptHandle": "h2"},
        ]}, 5.0),
    ]  # fmt: skip


def test_an_empty_queue_is_not_asked_to_delete(monkeypatch: pytest.MonkeyPatch) -> None:
    sqs = on(monkeypatch)
    assert (messages.receive(URL, 1), len(sqs.asked)) == ([], 1)


@pytest.mark.parametrize(
    "body",
    ["", "{", "null", "[" * 100_000, "[" * 200 + "]" * 200, "7" * 5000, f"[{'[],' * 250_000}1]", '"\ud800"'],
    ids=["empty", "cut off", "null", "deep", "200 levels", "long number", "many values", "surrogate"],
)
def test_no_body_stops_the_others(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, body, '{"n": 2}')
    assert messages.receive(URL, 1)[-1:] == [{"n": 2}]


def test_a_message_is_sent_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    sqs = on(monkeypatch)
    messages.send(URL, json.dumps([1]))
    assert sqs.asked == [("SendMessage", {"QueueUrl": URL, "MessageBody": "[1]"}, 5.0)]


@pytest.mark.parametrize(
    ("error", "code"), [(Unavailable("away"), "away"), (ClientError({"Error": {"Code": "Odd"}}, "x"), "Odd")]
)
def test_listening_goes_on_after_a_failure_which_is_logged_with_its_code(
    error: Exception, code: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answers: list[Any] = [error, error, error, [{"n": 1}]]

    def receive(url: str, wait_time: int) -> Any:
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    created: list[tuple[str, int]] = []
    monkeypatch.setattr(messages, "receive", receive)
    monkeypatch.setattr(messages, "back_off", lambda _: 0.0)
    monkeypatch.setattr("waproject.bus.messages.queues.create", lambda *given: created.append(given))
    stopping, found = threading.Event(), []
    for received in messages.listen(URL, 60, stopping):
        found.append(received)
        if received:
            stopping.set()
    assert (found, created) == ([[], [], [], [{"n": 1}]], [(URL, 60)])
    assert caplog.text.count(f"bus: receiving from bus failed: {code}") == 2


class Handler:
    """A request to Flower from an address, and what it answers."""

    def __init__(self, log_in: bool = True) -> None:
        headers = {"Authorization": "Basic x"} if log_in else {}
        self.request = SimpleNamespace(headers=headers, remote_ip="10.0.0.1")
        self.answer: list[Any] = []

    def set_status(self, *given: Any) -> None:
        self.answer.append(given)

    def set_header(self, *given: Any) -> None:
        self.answer.append(given)

    def finish(self, text: str) -> None:
        self.answer.append(text)


def test_a_locked_address_is_answered_429_without_a_look_at_its_password() -> None:
    from tornado.web import Finish

    throttle = flower_login.Throttle(lambda: 0.0)
    for _ in range(5):
        throttle.wrong("10.0.0.1")
    check = flower_login.throttled(lambda _: pytest.fail("looked at"), throttle)
    handler = Handler()
    with pytest.raises(Finish):
        check(handler)
    assert handler.answer == [
        (429, "Too many wrong log-ins"),
        ("Retry-After", "901"),
        "Too many wrong log-ins: try again in 901 seconds.\n",
    ]


@pytest.mark.parametrize(("status", "locked"), [(401, True), (500, False)])
def test_only_a_wrong_password_counts(status: int, locked: bool) -> None:
    from tornado.web import HTTPError

    def wrong(_: Any) -> None:
        raise HTTPError(status)

    throttle = flower_login.Throttle(lambda: 0.0)
    check = flower_login.throttled(wrong, throttle)
    for _ in range(5):
        with pytest.raises(HTTPError):
            check(Handler())
    assert bool(throttle.locked_for("10.0.0.1")) is locked


def test_a_request_without_a_log_in_counts_nothing() -> None:
    throttle = flower_login.Throttle(lambda: 0.0)
    assert flower_login.throttled(lambda _: "nobody", throttle)(Handler(log_in=False)) == "nobody"
    assert throttle.locked_for("10.0.0.1") == 0
