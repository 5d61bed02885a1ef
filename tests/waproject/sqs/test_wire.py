"""SQS's answers: what they say, whether a retry may succeed, and what is counted."""

import json
from typing import Any

import pytest

from testkit.ports import free_port
from tests.waproject.sqs.doubles.recording import counted
from tests.waproject.sqs.test_connections import Scripted
from waproject.sqs import access_denied, wire
from waproject.sqs.wire import Client, Refused, SqsError, Unavailable

URL = "https://sqs.eu-central-1.amazonaws.com/1/incoming"


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [(200, b'{"Messages": []}', {"Messages": []}), (200, b"", {}), (200, b"{}", {})],
)
def test_an_object_of_a_200_is_the_answer(status: int, body: bytes, answer: dict[str, Any]) -> None:
    assert wire._answer(status, body) == answer


def error(name: str) -> bytes:
    return json.dumps({"__type": f"com.amazonaws.sqs#{name}"}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (200, b"<html>", Unavailable, "no JSON answer"),
        (200, b"[]", Unavailable, "no JSON answer"),
        (408, b"", Unavailable, "no JSON answer"),
        (429, b"", Unavailable, "no JSON answer"),
        (499, b"", Refused, "no reason given"),
        (500, b"", Unavailable, "no JSON answer"),
        (503, b"<html>", Unavailable, "no JSON answer"),
        (500, error("InternalError"), Unavailable, "InternalError"),
        (400, b"", Refused, "no reason given"),
        (400, b"[1]", Refused, "no reason given"),
        (400, b"<html>", Refused, "no reason given"),
        (403, error("AccessDeniedException"), Refused, "AccessDeniedException"),
        (400, error("QueueDoesNotExist"), Refused, "QueueDoesNotExist"),
        (400, b'{"__type": "QueueDoesNotExist"}', Refused, "QueueDoesNotExist"),
        *[
            (400, error(name), Unavailable, name)
            for name in (
                "ThrottlingException", "Throttling", "RequestThrottled", "TooManyRequestsException",
                "RequestThrottledException", "KmsThrottled", "ExpiredToken", "ExpiredTokenException",
                "UnrecognizedClientException", "InvalidClientTokenId",
            )
        ],
    ],
)  # fmt: skip
def test_every_other_answer_is_an_error_that_says_whether_a_retry_may_succeed(
    status: int, body: bytes, kind: type[SqsError], code: str
) -> None:
    with pytest.raises(SqsError) as caught:
        wire._answer(status, body)
    assert (type(caught.value), caught.value.code, caught.value.status) == (kind, code, status)
    assert str(caught.value) == f"{code} (HTTP {status})"


def test_an_error_without_an_answer_has_its_reason_alone() -> None:
    assert (str(Unavailable("TimeoutError")), Unavailable("TimeoutError").status) == ("TimeoutError", None)


@pytest.mark.parametrize(
    ("action", "parameters", "answer", "count"),
    [
        ("ReceiveMessage", {}, {"Messages": [{}, {}]}, 2),
        ("ReceiveMessage", {}, {}, 0),
        ("SendMessageBatch", {"Entries": [{}, {}, {}]}, {}, 3),
        ("SendMessageBatch", {"Entries": [{}, {}, {}]}, {"Failed": [{}]}, 2),
        ("DeleteMessageBatch", {"Entries": [{}]}, {"Failed": [{}]}, 0),
        ("SendMessage", {}, {}, 1),
        ("DeleteMessage", {}, {}, 1),
        ("ChangeMessageVisibility", {}, {}, 1),
        ("GetQueueAttributes", {}, {}, 0),
    ],
)
def test_the_messages_of_a_request_are_those_that_succeeded(
    action: str, parameters: dict[str, Any], answer: dict[str, Any], count: int
) -> None:
    assert wire._messages_in(action, parameters, answer) == count


class Fixed(Client):
    """Answers every request with one answer or error."""

    fixed: dict[str, Any] | SqsError

    def _call(self, action: str, parameters: dict[str, Any], timeout: float) -> dict[str, Any]:
        if isinstance(self.fixed, SqsError):
            raise self.fixed
        return self.fixed


@pytest.mark.parametrize(
    ("action", "answer", "requests", "messages"),
    [
        (
            "ReceiveMessage",
            {"Messages": [{}]},
            [("incoming", "ReceiveMessage", "ok")],
            [("incoming", "ReceiveMessage", 1)],
        ),
        ("ReceiveMessage", {}, [("incoming", "ReceiveMessage", "ok")], []),
        ("SendMessage", Unavailable("away"), [("incoming", "SendMessage", "unavailable")], []),
        ("SendMessage", Refused("no"), [("incoming", "SendMessage", "refused")], []),
    ],
)
def test_requests_are_counted_by_their_outcome(
    action: str, answer: dict[str, Any] | SqsError, requests: list[Any], messages: list[Any]
) -> None:
    client = Fixed("eu-central-1")
    client.fixed = answer
    with counted() as counts:
        try:
            found: object = client.call(action, {"QueueUrl": URL}, 1.0)
        except SqsError as raised:
            found = raised
    assert (found, counts.requests, counts.messages) == (answer, requests, messages)


def test_the_messages_of_a_batch_are_counted_as_single_ones() -> None:
    client = Fixed("eu-central-1")
    client.fixed = {}
    with counted() as counts:
        client.call("DeleteMessageBatch", {"QueueUrl": URL, "Entries": [{}, {}]}, 1.0)
    assert (counts.requests, counts.messages) == (
        [("incoming", "DeleteMessageBatch", "ok")],
        [("incoming", "DeleteMessage", 2)],
    )


def test_a_client_can_count_all_its_queues_as_one() -> None:
    client = Fixed("eu-central-1", counted_as="bus")
    client.fixed = {}
    with counted() as counts:
        client.call("SendMessage", {"QueueUrl": URL}, 1.0)
    assert (counts.requests, counts.messages) == ([("bus", "SendMessage", "ok")], [("bus", "SendMessage", 1)])


def test_a_missing_permission_is_named_with_its_queue(caplog: pytest.LogCaptureFixture) -> None:
    access_denied.reset()
    client = Fixed("eu-central-1", counted_as="bus")
    client.fixed = Refused("AccessDeniedException", 403)
    with pytest.raises(Refused):
        client.call("SendMessageBatch", {"QueueUrl": URL, "Entries": []}, 1.0)
    access_denied.reset()
    assert "not permitted: sqs:SendMessage on incoming (AccessDeniedException)" in caplog.text


@pytest.mark.parametrize("by_endpoint", [True, False], ids=["endpoint", "the queue's own host"])
def test_a_request_is_signed_json_to_the_root(by_endpoint: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    server = Scripted()
    server.answers.append([b'HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{"MessageId": "7"}'])
    client = Client("eu-central-1", f"{server.url}/" if by_endpoint else None)
    queue = "https://other.host/1/q" if by_endpoint else f"{server.url}/1/q"
    try:
        answer = client.call("SendMessage", {"QueueUrl": queue, "MessageBody": "x"}, 5.0)
    finally:
        server.close()
    head, _, body = server.requests[0].decode().partition("\r\n\r\n")
    lines = head.split("\r\n")
    assert (answer, lines[0]) == ({"MessageId": "7"}, "POST / HTTP/1.1")
    assert "x-amz-target: amazonsqs.sendmessage" in [line.lower() for line in lines]
    assert any("/eu-central-1/sqs/aws4_request" in line for line in lines)
    assert json.loads(body) == {"QueueUrl": queue, "MessageBody": "x"}


def test_an_unreachable_server_is_unavailable_and_named_by_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with pytest.raises(Unavailable, match=r"^ConnectionRefusedError$"):
        Client("eu-central-1", f"http://127.0.0.1:{free_port()}").call("SendMessage", {"QueueUrl": URL}, 1.0)


class NoCredentials:
    """A botocore session that finds none."""

    asked = 0

    def get_credentials(self) -> None:
        type(self).asked += 1


def test_without_credentials_a_request_is_refused_and_they_are_looked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire, "Session", NoCredentials)
    client = Client("eu-central-1", "http://127.0.0.1:9")
    for _ in range(2):
        with pytest.raises(Refused, match="NoCredentialsError"):
            client.call("SendMessage", {"QueueUrl": URL}, 1.0)
    assert NoCredentials.asked == 2


def test_a_configured_client_has_the_endpoint_and_certificates_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:7")
    monkeypatch.setenv("AWS_CA_BUNDLE", "/etc/our-ca.pem")
    client = Client.configured("eu-west-1")
    assert (client.region, client.endpoint_url, client.ca_bundle) == (
        "eu-west-1",
        "http://127.0.0.1:7",
        "/etc/our-ca.pem",
    )
