"""The words and headers of the webhook's answers, and which pieces of a large body travel on which way."""

import json
from typing import Any

import pytest
from django.test import Client

from messaging.incoming import webhook as endpoint
from messaging.incoming.store import receive
from messaging.incoming.webhook import Answer
from messaging.models import UnknownUpdate
from messaging.whatsapp.inbound.signature import sign
from tests.environment import APP_SECRET
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.incoming.wsgi import ask, webhook_environ
from waproject.web.rejected_webhooks import PATH


def test_a_wrong_verify_token_is_named_in_plain_text() -> None:
    answer = Client().get(PATH, {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": "guess"})
    assert (answer.content, answer["Content-Type"]) == (b"The verify token does not match.", "text/plain")


def test_the_challenge_is_plain_text(settings: Any) -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "7", "hub.verify_token": settings.WA_WEBHOOK_VERIFY_TOKEN}
    assert Client().get(PATH, query)["Content-Type"] == "text/plain"


@pytest.mark.parametrize(
    ("raw", "secret", "status", "detail"),
    [
        (b"{}", "wrong", 403, "X-Hub-Signature-256 does not sign this body."),
        (b"{", APP_SECRET, 400, "The body is not JSON."),
    ],
)
def test_a_refusal_says_why_in_json(raw: bytes, secret: str, status: int, detail: str) -> None:
    answer = ask(webhook_environ(raw, **{"X-Hub-Signature-256": sign(raw, secret)}))
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/json")
    assert json.loads(answer.content) == {"detail": detail}
    assert int(answer["Content-Length"]) == len(answer.content)


def test_an_accepted_webhook_has_an_empty_body_without_a_type(sqs: Any) -> None:
    raw = json.dumps(webhook(inbound_text())).encode()
    answer = ask(webhook_environ(raw, **{"X-Hub-Signature-256": sign(raw, APP_SECRET)}))
    assert (answer.status_code, answer.content, answer["Content-Length"]) == (200, b"", "0")


@pytest.mark.parametrize(
    ("answer", "body", "headers"),
    [
        (Answer(200), b"", {}),
        (Answer(400, "Why."), b'{"detail": "Why."}', {}),
        (Answer(503, "Later.", 30), b'{"detail": "Later."}', {"Retry-After": "30"}),
    ],
)
def test_an_answer_has_a_detail_and_a_time_to_come_again(answer: Answer, body: bytes, headers: dict[str, str]) -> None:
    assert (answer.body, answer.headers) == (body, headers)


def test_only_the_pieces_that_do_not_fit_in_sqs_travel_by_id(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, str]] = []

    def publish_many(task: Any, arguments: list[tuple[Any]]) -> list[bool]:
        sent.extend(("queue", text_of(body)) for (body,) in arguments)
        return [True] * len(arguments)

    monkeypatch.setattr(endpoint, "publish_many", publish_many)
    monkeypatch.setattr(endpoint, "_queue_by_id", lambda piece: sent.append(("by id", text_of(piece))))
    body = webhook(inbound_text("wamid.A", "a" * 200_000), inbound_text("wamid.B", "b" * 300_000))
    endpoint.enqueue(body, len(json.dumps(body)))
    assert sent == [("queue", "a"), ("by id", "b")]


def text_of(piece: dict[str, Any]) -> str:
    """The first letter of the piece's only message."""
    (message,) = piece["entry"][0]["changes"][0]["value"]["messages"]
    return str(message["text"]["body"][0])


@pytest.mark.django_db
def test_a_message_without_a_business_number_is_kept_under_this_kind() -> None:
    body = webhook(inbound_text())
    del body["entry"][0]["changes"][0]["value"]["metadata"]
    receive(body)
    assert list(UnknownUpdate.objects.values_list("kind", flat=True)) == ["message without a business number"]
