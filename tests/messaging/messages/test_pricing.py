"""Meta's pricing is shown to those who ask what a message cost."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from messaging.messages.price_texts import price_text
from messaging.models import Message, MessageEvent
from messaging.states import Status
from tests.messaging.factories import in_state

pytestmark = pytest.mark.django_db
MARKETING = {"billable": True, "pricing_model": "PMP", "pricing_type": "regular", "pricing_category": "marketing"}
SHOWN = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "marketing"}


def priced() -> Message:
    message = in_state(Status.SENT, priced_by="sent", **MARKETING)
    message.events.create(status="sent", at=message.at, source="webhook", key="w:sent", **MARKETING)
    return message


def test_the_api_gives_the_price_of_a_message_and_of_each_status(api: APIClient) -> None:
    shown = api.get(f"/messaging/messages/{priced().pk}").json()
    assert (shown["pricing"], [line["pricing"] for line in shown["timeline"]]) == (SHOWN, [None, SHOWN])


def test_a_message_that_meta_has_not_priced_has_null(api: APIClient) -> None:
    assert api.get(f"/messaging/messages/{in_state(Status.ACCEPTED).pk}").json()["pricing"] is None


def test_the_admin_says_what_a_message_is_billed_as_and_by_which_status(admin_client: Client) -> None:
    page = admin_client.get(f"/admin/messaging/message/{priced().pk}/change/").content.decode()
    assert "marketing, regular, billed, by the status sent" in page
    assert "<td>marketing, regular, billed</td>" in page


def test_the_admin_says_that_nothing_was_said_yet(admin_client: Client) -> None:
    page = admin_client.get(f"/admin/messaging/message/{in_state(Status.ACCEPTED).pk}/change/").content.decode()
    assert "not said yet" in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, ""),
        (MARKETING, "marketing, regular, billed"),
        ({"billable": False, "pricing_type": "free_entry_point", "pricing_category": "referral_conversion"},
         "referral_conversion, free entry point, free"),
        ({"pricing_category": "service"}, "service"),
    ],
)  # fmt: skip
def test_a_price_in_words(fields: dict[str, Any], words: str) -> None:
    assert price_text(MessageEvent(**fields)) == words
