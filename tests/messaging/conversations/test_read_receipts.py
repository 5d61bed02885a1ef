"""Marking what a user wrote as read, and showing that an answer is being written."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from messaging.conversations import read_receipts
from messaging.incoming.store import receive
from messaging.models import Message
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.factories import pending
from tests.messaging.whatsapp.wire import Server, answering, http

pytestmark = pytest.mark.django_db


@pytest.fixture
def meta(settings: Any) -> Iterator[Server]:
    server = Server()
    server.behaviour = answering(http(body={"success": True}))
    settings.WA_GRAPH_URL = server.url
    read_receipts._api.cache_clear()
    yield server
    server.close()
    read_receipts._api.cache_clear()


@pytest.fixture
def question() -> Message:
    receive(webhook(inbound_text(wamid="wamid.Q")))
    return Message.objects.get()


def read(api: APIClient, message: Message, **body: Any) -> Any:
    return api.post(f"/messaging/messages/{message.id}/read", body, format="json")


@pytest.mark.parametrize("typing", [False, True])
def test_a_read_receipt_is_sent_to_meta(api: APIClient, meta: Server, question: Message, typing: bool) -> None:
    answer = read(api, question, typing=typing)
    assert (answer.status_code, answer.json()) == (200, {"id": str(question.id), "read": True, "typing": typing})
    body = json.loads(meta.requests[0][1])
    assert (body["status"], body["message_id"], "typing_indicator" in body) == ("read", "wamid.Q", typing)


def test_no_body_is_needed(api: APIClient, meta: Server, question: Message) -> None:
    assert api.post(f"/messaging/messages/{question.id}/read").status_code == 200


def test_an_outbound_message_cannot_be_marked_as_read(api: APIClient, meta: Server) -> None:
    (message,) = pending()
    assert (read(api, message).status_code, meta.requests) == (409, [])


def test_metas_refusal_is_returned_with_its_text(api: APIClient, meta: Server, question: Message) -> None:
    error = {"code": 131009, "message": "x", "error_data": {"details": "Message ID is not valid"}}
    meta.behaviour = answering(http(400, {"error": error}))
    answer = read(api, question)
    assert (answer.status_code, "Message ID is not valid" in answer.json()["detail"]) == (409, True)


def test_meta_unavailable_is_a_503_with_retry_after(api: APIClient, meta: Server, question: Message) -> None:
    meta.behaviour = answering(http(500, {}))
    answer = read(api, question)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


@pytest.mark.parametrize("body", [{"typing": "maybe"}, {"typign": True}])
def test_invalid_input_names_the_field(api: APIClient, meta: Server, question: Message, body: dict[str, Any]) -> None:
    assert (read(api, question, **body).json().keys(), meta.requests) == (body.keys(), [])
