"""Marking what a user wrote as read, and showing that an answer is being written."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from messaging.accounts.tokens import clear_token_cache
from messaging.conversations import read_receipts
from messaging.incoming.store import receive
from messaging.models import Account, BusinessNumber, Contact, Message
from tests.messaging.bodies import inbound_text, webhook
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
    clear_token_cache()


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


def test_a_read_receipt_waits_at_most_five_seconds_for_meta(meta: Server) -> None:
    api = read_receipts._api("WA_ACCESS_TOKEN")
    assert (api._timeout.connect_timeout, api._timeout.read_timeout, api._total_timeout) == (2.0, 3.0, 5.0)
    assert api._pool.pool is not None and api._pool.pool.maxsize == 8


def test_a_receipt_is_sent_with_the_token_and_the_number_of_its_account(
    api: APIClient, meta: Server, question: Message, settings: Any
) -> None:
    settings.WA_ACCESS_TOKENS = {"WA_ACCESS_TOKEN_SHOP": "the-token-of-the-shop"}
    Account.objects.create(waba_id="77", token_name="WA_ACCESS_TOKEN_SHOP")
    BusinessNumber.objects.update(waba_id="77")
    clear_token_cache()
    assert read(api, question).status_code == 200
    head = meta.requests[0][0].decode()
    version, number_id = settings.WA_GRAPH_VERSION, question.number.phone_number_id
    assert head.startswith(f"POST /{version}/{number_id}/messages ")
    assert "Bearer the-token-of-the-shop" in head


def test_a_missing_token_is_a_503(api: APIClient, meta: Server, question: Message, settings: Any) -> None:
    settings.WA_ACCESS_TOKENS = {}
    Account.objects.create(waba_id="77", token_name="WA_ACCESS_TOKEN_SHOP")
    BusinessNumber.objects.update(waba_id="77")
    clear_token_cache()
    answer = read(api, question)
    assert (answer.status_code, "did not accept it now" in answer.json()["detail"]) == (503, True)


def test_an_unknown_message_is_a_404(api: APIClient, meta: Server) -> None:
    answer = api.post(f"/messaging/messages/{UUID(int=1)}/read")
    assert (answer.status_code, answer.json()) == (404, {"detail": "No message has this id."})


@pytest.mark.parametrize("typing", [False, True])
def test_a_blocked_contact_gets_no_read_receipt(api: APIClient, meta: Server, question: Message, typing: bool) -> None:
    Contact.objects.update(blocked_at=timezone.now())
    answer = read(api, question, typing=typing)
    assert (answer.status_code, answer.json()["detail"], meta.requests) == (409, "The contact is blocked.", [])


@pytest.mark.parametrize("facts", [{"wamid": None}, {"direction": "outbound"}], ids=str)
def test_only_a_users_message_can_be_marked_as_read(
    facts: dict[str, Any], api: APIClient, meta: Server, question: Message
) -> None:
    Message.objects.update(**facts)
    answer = read(api, question)
    refusal = {"detail": "Only a user's message can be marked as read.", "status": "received"}
    assert (answer.status_code, answer.json(), meta.requests) == (409, refusal, [])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"message": "The title", "error_data": {"details": "The details"}}, "WhatsApp refused it: The details"),
        ({"message": "The title"}, "WhatsApp refused it: The title"),
        ({}, "WhatsApp refused it: 131009: "),
    ],
)
def test_a_refusal_has_metas_most_detailed_words(
    error: dict[str, Any], words: str, api: APIClient, meta: Server, question: Message
) -> None:
    meta.behaviour = answering(http(400, {"error": {"code": 131009, **error}}))
    answer = read(api, question)
    assert (answer.status_code, answer.json()["detail"][: len(words)]) == (409, words)


def test_no_body_is_needed(api: APIClient, meta: Server, question: Message) -> None:
    assert api.post(f"/messaging/messages/{question.id}/read").status_code == 200


def test_meta_unavailable_is_a_503_with_retry_after(api: APIClient, meta: Server, question: Message) -> None:
    meta.behaviour = answering(http(500, {}))
    answer = read(api, question)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


@pytest.mark.parametrize("body", [{"typing": "maybe"}, {"typign": True}])
def test_invalid_input_names_the_field(api: APIClient, meta: Server, question: Message, body: dict[str, Any]) -> None:
    assert (read(api, question, **body).json().keys(), meta.requests) == (body.keys(), [])
