"""Which messages of users count as a stop word, who withdraws what, and whose refusal an opt-out is."""

from typing import Any

import pytest

from messaging.contacts.contact_updates import _phone
from messaging.incoming.store import receive
from messaging.models import Contact, MessageEvent, TemplateCategory
from messaging.states import Status
from tests.messaging.bodies import webhook
from tests.messaging.factories import in_state

pytestmark = pytest.mark.django_db
PHONE = "15551230001"
ONE_TO_ONE = {"text": {"type": "text", "text": {"body": "STOP"}}}
REPLIES = {
    "button": {"type": "button", "button": {"text": "STOP", "payload": "x"}},
    "button reply": {
        "type": "interactive",
        "interactive": {"type": "button_reply", "button_reply": {"id": "1", "title": "Stop"}},
    },
    "list reply": {
        "type": "interactive",
        "interactive": {"type": "list_reply", "list_reply": {"id": "1", "title": "stop"}},
    },
}
OTHERS = {
    "caption": {"type": "image", "image": {"id": "1", "caption": "STOP"}},
    "reaction": {"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": "👍"}},
}


def said(content: dict[str, Any]) -> Contact:
    """The contact after a message of this content."""
    message = {"from": PHONE, "id": "wamid.IN1", "timestamp": "1790000000", **content}
    receive(webhook(message))
    return Contact.objects.get()


@pytest.mark.parametrize("content", [*ONE_TO_ONE.values(), *REPLIES.values()], ids=[*ONE_TO_ONE, *REPLIES])
def test_a_stop_word_counts_as_text_and_as_the_title_of_a_button(content: dict[str, Any]) -> None:
    contact = said(content)
    assert (contact.opted_out_at is not None, contact.consent_source) == (True, "keyword")


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS.keys())
def test_a_stop_word_beside_a_file_is_none(content: dict[str, Any]) -> None:
    assert said(content).opted_out_at is None


def test_what_a_stop_word_withdraws_is_by_the_webhook() -> None:
    TemplateCategory.objects.create(name="offer", waba_id="", category="marketing")
    message = in_state(Status.QUEUED, peer=PHONE, type="template", template="offer")
    message.__class__.objects.filter(pk=message.pk).update(outcome_at=None)
    said(ONE_TO_ONE["text"])
    assert list(MessageEvent.objects.filter(status="cancelled").values_list("message", "source")) == [
        (message.pk, "webhook")
    ]


@pytest.mark.parametrize(
    ("recipient", "phone"),
    [
        ("15551230001", "15551230001"),
        ("1" * 15, "1" * 15),
        ("1" * 16, None),
        ("US.123", None),
        ("", None),
        (None, None),
    ],
)
def test_the_recipient_of_a_status_is_a_number_of_at_most_15_digits(recipient: str | None, phone: str | None) -> None:
    assert _phone(recipient) == phone
