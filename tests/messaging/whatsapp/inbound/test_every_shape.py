"""The shapes that Meta's reference lists beside the common ones, each with a body: understood, or kept whole."""

from datetime import UTC, datetime
from typing import Any

import pytest

from messaging.whatsapp.inbound import Pricing, normalise
from tests.messaging.whatsapp.inbound.bodies import kinds, message, only_message, only_status, webhook

TEMPLATE = {"message_template_id": 1, "message_template_name": "t", "message_template_language": "en"}
MESSAGES: list[tuple[dict[str, Any], str | None, dict[str, Any]]] = [
    (
        {"type": "video", "video": {"id": "7", "caption": "c", "mime_type": "video/mp4"}},
        "c",
        {"mime_type": "video/mp4"},
    ),
    ({"type": "voice", "voice": {"id": "7"}}, None, {"id": "7"}),
    ({"type": "audio", "audio": {"id": "7", "voice": False, "url": "https://x"}}, None, {"voice": False}),
    (
        {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "b", "title": "Yes"}}},
        "Yes",
        {"kind": "button_reply", "id": "b"},
    ),
    (
        {"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": {"response_json": "no json"}}},
        None,
        {"response_json": "no json"},
    ),
    (
        {
            "type": "interactive",
            "interactive": {
                "type": "call_permission_reply",
                "call_permission_reply": {"response": "accept", "expiration_timestamp": 1749416383},
            },
        },
        None,
        {"expires_at": datetime.fromtimestamp(1749416383, UTC).isoformat()},
    ),
    ({"type": "reaction", "reaction": {"message_id": "wamid.B"}}, None, {"message_id": "wamid.B"}),
    ({"type": "contacts", "contacts": [{"origin": "contact_request", "vcard": "x"}]}, None, {}),
    ({"type": "unknown", "errors": [{"code": 131051, "title": "Message type unknown"}]}, None, {"code": 131051}),
    ({"type": "unsupported", "errors": [{"code": 501, "title": "x", "details": "old"}]}, None, {"details": "old"}),
    ({"type": "unsupported"}, None, {}),
    (
        {"type": "system", "system": {"type": "user_changed_number", "wa_id": "16505550000"}},
        None,
        {"phone": "16505550000"},
    ),
    ({"type": "system", "system": {"body": "b", "customer": "16505550000"}}, "b", {"phone": "16505550000"}),
    (
        {
            "type": "edit",
            "edit": {
                "original_message_id": "wamid.B",
                "message": {"type": "image", "image": {"id": "7", "caption": "c"}},
            },
        },
        "c",
        {"original_message_id": "wamid.B", "type": "image"},
    ),
    ({"type": "text", "text": {"body": "hi"}, "group_id": "g1"}, "hi", {"group_id": "g1"}),
    (
        {"type": "text", "text": {"body": "?"}, "context": {"referred_product": {"catalog_id": "1"}}},
        "?",
        {"context": {"referred_product": {"catalog_id": "1"}}},
    ),
    (
        {"type": "text", "text": {"body": "x"}, "context": {"frequently_forwarded": True}},
        "x",
        {"context": {"frequently_forwarded": True}},
    ),
]


@pytest.mark.parametrize(("parts", "text", "content"), MESSAGES)
def test_a_message_of_this_shape_is_understood(parts: Any, text: str | None, content: Any) -> None:
    found = only_message(**parts)
    assert (found.details is None, found.text) == (False, text)
    assert content.items() <= found.content.items()


def test_an_interactive_message_without_its_node_comes_with_the_error_that_explains_it() -> None:
    body = webhook(messages=[message(type="interactive")], errors=[{"code": 131000, "title": "Unsupported"}])
    found = normalise(body)
    assert ([m.type for m in found.messages], [e.event for e in found.events]) == (["interactive"], ["131000"])


EVENTS: list[tuple[str, dict[str, Any], tuple[str, str]]] = [
    *(
        ("message_template_status_update", {"event": event, "reason": None, **TEMPLATE}, (event, "t"))
        for event in ("APPROVED", "REJECTED", "PENDING", "PAUSED", "DISABLED", "FLAGGED", "LOCKED", "DELETED")
    ),
    ("message_template_quality_update", {"new_quality_score": "RED", **TEMPLATE}, ("RED", "t")),
    ("message_template_components_update", TEMPLATE, ("", "t")),
    *(
        ("account_update", {"event": event}, (event, ""))
        for event in (
            "ACCOUNT_DELETED", "ACCOUNT_RESTRICTION", "ACCOUNT_VIOLATION", "PARTNER_REMOVED", "ACCOUNT_OFFBOARDED",
            "ACCOUNT_RECONNECTED", "VOLUME_BASED_PRICING_TIER_UPDATE", "SOMETHING_NEW",
        )
    ),
    ("account_alerts", {"alert_type": "LIMIT", "entity_id": 5}, ("LIMIT", "5")),
    ("account_review_update", {"decision": "APPROVED"}, ("APPROVED", "")),
    ("phone_number_name_update", {"decision": "APPROVED", "display_phone_number": "1"}, ("APPROVED", "1")),
    ("business_username_update", {"status": "reserved", "display_phone_number": "1"}, ("reserved", "1")),
    ("security", {"event": "PIN_CHANGED", "display_phone_number": "1"}, ("PIN_CHANGED", "1")),
    ("business_capability_update", {"max_daily_conversation_per_phone": 1000}, ("", "")),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value", "expected"), EVENTS)
def test_a_field_of_the_account_is_an_event(field: str, value: Any, expected: tuple[str, str]) -> None:
    found = normalise(webhook(field, **value))
    assert ([(event.event, event.subject) for event in found.events], found.unknown) == ([expected], ())


@pytest.mark.parametrize(
    "field",
    [
        *("group_lifecycle_update", "group_participants_update", "group_settings_update", "group_status_update"),
        *("flows", "calls", "smb_app_state_sync", "automatic_events", "standby", "user_id_update"),
    ],
)
def test_a_field_that_is_not_modelled_is_kept_whole(field: str) -> None:
    assert kinds(webhook(field, something=[{"id": "1"}])) == [f"field:{field}"]


@pytest.mark.parametrize("value", ["stop", "resume", "signup"])
@pytest.mark.parametrize("who", [{"wa_id": "16505551234"}, {"user_id": "US.1"}, {"wa_id": "US.1"}])
def test_a_preference_names_its_user_by_number_or_user_id(value: str, who: dict[str, str]) -> None:
    said = {**who, "category": "marketing_messages", "value": value, "timestamp": 1749416383}
    (found,) = normalise(webhook("user_preferences", user_preferences=[said])).preferences
    phone = None if "US.1" in who.values() else "16505551234"
    assert (found.value, found.phone, found.user_id) == (value, phone, None if phone else "US.1")


@pytest.mark.parametrize(
    "who", [{"wa_id": "16505551234"}, {"user_id": "US.1"}, {"wa_id": "16505551234", "user_id": "US.1"}]
)
def test_a_preference_is_completed_from_the_contact_with_the_same_id(who: dict[str, str]) -> None:
    contacts = [{"wa_id": "16505550000", "user_id": "US.2"}, {"wa_id": "16505551234", "user_id": "US.1"}]
    said = {**who, "category": "marketing_messages", "value": "stop"}
    (found,) = normalise(webhook("user_preferences", user_preferences=[said], contacts=contacts)).preferences
    assert (found.phone, found.user_id) == ("16505551234", "US.1")


def test_a_preference_without_a_user_is_kept_as_unknown() -> None:
    body = webhook("user_preferences", user_preferences=[{"category": "marketing_messages", "value": "stop"}])
    assert kinds(body) == ["value.user_preferences"]


def test_history_that_its_owner_does_not_share_is_kept() -> None:
    body = webhook("history", history=[{"errors": [{"code": 2593109, "title": "declined"}]}])
    assert kinds(body) == ["value.history"]


def test_history_of_a_user_without_a_number_has_his_user_id() -> None:
    thread = {"context": {"user_id": "US.1", "username": "@ann"}, "messages": [message(**{"from": None})]}
    (found,) = normalise(webhook("history", history=[{"threads": [thread]}])).messages
    assert (found.sender, found.sender_user_id, found.username) == (None, "US.1", "ann")


@pytest.mark.parametrize(
    "parts",
    [
        {"recipient_type": "group", "recipient_id": "g1", "recipient_participant_id": "16505551234"},
        {"recipient_type": "group", "recipient_id": "g1", "recipient_participant_user_id": "US.1"},
    ],
)
def test_a_groups_status_names_its_member(parts: dict[str, str]) -> None:
    found = only_status(status="read", **parts)
    assert (found.recipient, found.participant) == ("g1", list(parts.values())[-1])


@pytest.mark.parametrize("category", ["utility", "service", "authentication_international", "marketing_lite", "later"])
def test_a_price_keeps_any_category(category: str) -> None:
    found = only_status(status="sent", pricing={"category": category}).pricing
    assert found == Pricing(None, None, None, category)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"billable": True, "pricing_model": "PMP", "type": "regular", "category": "authentication-international"},
         Pricing(True, "PMP", "regular", "authentication_international")),
        ({"billable": "yes", "pricing_model": 5, "type": "", "category": "x" * 41}, Pricing(None, "5", None, None)),
        ({"billable": False}, Pricing(False, None, None, None)),
        ({"billable": None, "type": [], "category": {}}, None),
        ({}, None),
        ([], None),
        ("free", None),
        (None, None),
    ],
)  # fmt: skip
def test_a_status_keeps_what_can_be_understood_of_its_pricing(given: Any, expected: Pricing | None) -> None:
    assert only_status(status="sent", pricing=given).pricing == expected
