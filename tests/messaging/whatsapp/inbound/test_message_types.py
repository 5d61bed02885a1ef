"""The content that is read of each message type, and the origin of messages in other fields."""

from dataclasses import asdict
from typing import Any

import pytest

from messaging.whatsapp.inbound import Origin, Pricing, normalise
from tests.messaging.whatsapp.inbound.bodies import message, only_message, only_status, webhook

FILE = {"id": "77", "mime_type": "image/jpeg", "sha256": "x+/=", "caption": "the roof"}
CASES: list[tuple[str, Any, str | None, dict[str, Any]]] = [
    ("image", FILE, "the roof", FILE),
    ("audio", {"id": "7", "voice": True}, None, {"id": "7", "voice": True}),
    ("document", {"id": "7", "filename": "a.pdf"}, None, {"id": "7", "filename": "a.pdf"}),
    ("sticker", {"id": "7", "animated": False}, None, {"id": "7", "animated": False}),
    ("location", {"latitude": 1, "longitude": 2.5, "name": "Home"}, "Home", {"latitude": 1, "longitude": 2.5}),
    (
        "location",
        {"latitude": 1, "longitude": 2, "name": "Café", "address": "Rua 1", "url": "https://example.org/cafe"},
        "Café",
        {"name": "Café", "address": "Rua 1", "url": "https://example.org/cafe"},
    ),
    ("contacts", [{"phones": []}], None, {"contacts": ({"phones": []},)}),
    ("button", {"payload": "p", "text": "Yes"}, "Yes", {"payload": "p", "text": "Yes"}),
    (
        "interactive",
        {"type": "list_reply", "list_reply": {"id": "1", "title": "Tea"}},
        "Tea",
        {"kind": "list_reply", "id": "1", "title": "Tea"},
    ),
    (
        "interactive",
        {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": "[1]"}},
        "Sent",
        {"kind": "nfm_reply", "response": [1], "response_json": "[1]"},
    ),
    (
        "interactive",
        {"type": "call_permission_reply", "call_permission_reply": {"response": "accept"}},
        None,
        {"kind": "call_permission_reply", "response": "accept"},
    ),
    ("reaction", {"message_id": "wamid.B", "emoji": "+"}, "+", {"message_id": "wamid.B", "emoji": "+"}),
    ("reaction", {"message_id": "wamid.B", "emoji": ""}, None, {"message_id": "wamid.B"}),
    ("order", {"catalog_id": "1", "product_items": [{"quantity": 2}]}, None, {"catalog_id": "1"}),
    ("order", {"text": "by noon", "product_items": [{"quantity": 2}]}, "by noon", {"text": "by noon"}),
    ("system", {"type": "user_changed_number", "body": "moved", "new_wa_id": "1650"}, "moved", {"phone": "1650"}),
    ("system", {"type": "user_changed_user_id", "user_id": "US.2", "previous_user_id": "US.1"}, None, {}),
    ("edit", {"original_message_id": "wamid.B", "message": {"type": "text", "text": {"body": "new"}}}, "new", {}),
    ("revoke", {"original_message_id": "wamid.B"}, None, {"original_message_id": "wamid.B"}),
    ("request_welcome", {}, None, {}),
]


@pytest.mark.parametrize(("kind", "node", "text", "parts"), CASES)
def test_every_type_is_understood(kind: str, node: Any, text: str | None, parts: dict[str, Any]) -> None:
    found = only_message(**{"type": kind, kind: node})
    assert (found.details is None, found.text) == (False, text)
    assert parts.items() <= found.content.items()


def test_an_unavailable_message_keeps_its_code() -> None:
    found = only_message(type="unsupported", errors=[{"code": 131060, "title": "gone"}], unsupported={"type": "gif"})
    assert found.details is not None
    assert asdict(found.details) == {"code": 131060, "title": "gone", "details": None, "kind": "gif"}


@pytest.mark.parametrize("kind", ["reaction", "edit", "revoke"])
def test_what_is_about_another_message_names_it(kind: str) -> None:
    node = {"message_id": "wamid.B", "original_message_id": "wamid.B"}
    assert only_message(**{"type": kind, kind: node}).context_wamid == "wamid.B"


def test_a_referral_and_a_forward_are_kept_beside_the_words() -> None:
    found = only_message(text={"body": "Hi"}, referral={"source_id": "9"}, context={"forwarded": True})
    assert (found.content["referral"], found.content["context"]) == ({"source_id": "9"}, {"forwarded": True})


def test_an_echo_is_ours_and_its_peer_is_the_recipient() -> None:
    echo = message(**{"from": "2", "to": "16505551234", "to_user_id": "US.1", "text": {"body": "from my phone"}})
    (found,) = normalise(webhook("smb_message_echoes", message_echoes=[echo])).messages
    assert (found.origin, found.outgoing, found.sender, found.sender_user_id) == (
        Origin.ECHO, True, "16505551234", "US.1",
    )  # fmt: skip


def test_history_has_both_sides_of_a_thread() -> None:
    theirs, ours = message(), message(**{"id": "wamid.B", "from": "2"})
    chunk = {"metadata": {"progress": 55}, "threads": [{"id": "16505551234", "messages": [theirs, ours]}]}
    found = normalise(webhook("history", history=[chunk]))
    assert [(m.outgoing, m.sender) for m in found.messages] == [(False, "16505551234"), (True, "16505551234")]
    assert [(event.kind, event.subject) for event in found.events] == [("history", "55")]


def test_a_preference_is_read() -> None:
    said = {"wa_id": "16505551234", "category": "marketing_messages", "value": "stop", "timestamp": 1749416383}
    (found,) = normalise(webhook("user_preferences", user_preferences=[said])).preferences
    assert (found.phone, found.value, found.timestamp is not None) == ("16505551234", "stop", True)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("account_update", {"event": "DISABLED_UPDATE"}, ("DISABLED_UPDATE", "")),
        ("message_template_status_update", {"event": "PAUSED", "message_template_name": "t"}, ("PAUSED", "t")),
        ("template_category_update", {"new_category": "MARKETING", "message_template_name": "t"}, ("MARKETING", "t")),
        ("phone_number_quality_update", {"event": "ONBOARDING", "display_phone_number": "1"}, ("ONBOARDING", "1")),
        ("business_capability_update", {"max_phone_numbers_per_waba": 25}, ("", "")),
    ],
)
def test_account_events_say_what_happened_to_what(field: str, value: Any, expected: Any) -> None:
    (found,) = normalise(webhook(field, **value)).events
    assert (found.event, found.subject, found.waba_id) == (*expected, "11")


def test_an_error_and_a_users_action_are_events() -> None:
    found = normalise(webhook(errors=[{"code": 130429}], user_actions=[{"action_type": "click"}])).events
    assert [(event.kind, event.event) for event in found] == [("errors", "130429"), ("user_actions", "click")]


def test_a_status_tells_what_the_message_is_billed_as() -> None:
    assert only_status(pricing={"category": "marketing"}).pricing == Pricing(None, None, None, "marketing")
