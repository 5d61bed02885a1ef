import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.whatsapp.inbound import Normalised, normalise
from messaging.whatsapp.storable import storable
from tests.messaging.whatsapp import samples
from tests.messaging.whatsapp.inbound.bodies import ANNA, BEN, kinds, message, only_message, only_status, webhook
from tests.messaging.whatsapp.strategies import BODIES, CONTACTS, JSON, MESSAGES, STATUSES, lists

ODD_TIMES: list[Any] = ["", "soon", "-1", "1.5", "١٢", "9" * 16, "9" * 5000, 10**30, True, None, [], {}]
ODD_BODIES: list[Any] = [None, 5, "x", [], {}, {"entry": []}, {"object": "page", "entry": [{}]}]
NOON = datetime(2025, 6, 8, 20, 59, 43, tzinfo=UTC)


def test_a_text_message_is_read_in_full() -> None:
    raw = message(text={"body": "Hi"}, context={"id": "wamid.B", "from": "2"})
    found = normalise(webhook(messages=[raw], contacts=[ANNA])).messages[0]
    assert asdict(found) == {
        "wamid": "wamid.A",
        "phone_number_id": "1",
        "display_phone_number": "2",
        "waba_id": "11",
        "sender": "16505551234",
        "sender_user_id": "US.1",
        "profile_name": "Anna",
        "username": None,
        "timestamp": NOON,
        "type": "text",
        "text": "Hi",
        "content": {"body": "Hi", "context": {"id": "wamid.B", "from": "2"}},
        "details": {"body": "Hi"},
        "context_wamid": "wamid.B",
        "origin": "user",
        "outgoing": False,
        "raw": raw,
    }


@pytest.mark.parametrize(
    ("parts", "kind", "text", "content"),
    [
        ({"type": "image", "image": {"link": "5", "caption": "c"}}, "image", "c", {"link": "5", "caption": "c"}),
        ({"type": "contacts", "contacts": [1]}, "contacts", None, {"contacts": [1]}),
        ({"type": "reaction", "reaction": {"emoji": "x"}}, "reaction", None, {"emoji": "x"}),
        ({"type": "interactive", "errors": [{"code": 1}]}, "interactive", None, {"errors": [{"code": 1}]}),
        ({"type": "text"}, "text", None, {}),
        ({"type": "text", "text": {"body": 5}}, "text", None, {"body": 5}),
        ({"type": "x" * 99}, "x" * 64, None, {}),
    ],
)
def test_messages_that_are_not_understood_are_kept_with_their_node(
    parts: Any, kind: str, text: Any, content: Any
) -> None:
    found = only_message(**parts)
    assert (found.type, found.text, found.content, found.details) == (kind, text, content, None)


@pytest.mark.parametrize(
    ("given_time", "expected"),
    [
        ("1749416383", NOON),
        (1749416383, NOON),
        ("1749416383000", NOON),
        (1749416383000, NOON),
        *((odd, None) for odd in ODD_TIMES),
    ],
)
def test_timestamps_are_seconds_or_milliseconds_text_or_number(given_time: Any, expected: Any) -> None:
    assert only_message(timestamp=given_time).timestamp == expected


@pytest.mark.parametrize(
    ("sender", "contacts", "expected"),
    [
        ({"from": "16505551234"}, [], ("16505551234", None, None)),
        ({"from": 16505551234}, [], ("16505551234", None, None)),
        ({"from": "16505551234"}, [BEN, ANNA], ("16505551234", "US.1", "Anna")),
        ({"from": "US.2"}, [ANNA, BEN], ("16505551235", "US.2", "Ben")),
        ({"from": None, "from_user_id": "US.2"}, [ANNA, BEN], ("16505551235", "US.2", "Ben")),
        ({"from": None}, [ANNA], ("16505551234", "US.1", "Anna")),
        ({"from": None}, [ANNA, BEN], (None, None, None)),
        ({"from": "16505559999"}, [ANNA], ("16505559999", None, None)),
        ({"from": "1650"}, [{"wa_id": "US.3", "profile": {"name": "Cy"}}], ("1650", "US.3", "Cy")),
        ({"from": "not a number"}, [{"profile": 5}], (None, None, None)),
    ],
)
def test_the_sender_is_known_by_number_or_user_id_and_by_the_contact(sender: Any, contacts: Any, expected: Any) -> None:
    found = only_message(*contacts, **sender)
    assert (found.sender, found.sender_user_id, found.profile_name) == expected


def test_a_status_is_read_in_full() -> None:
    error = {"code": 131047, "title": "Re-engagement", "error_data": {"details": "too late"}}
    found = only_status(
        status="failed",
        timestamp="1749416383",
        recipient_id="16505551234",
        recipient_user_id="US.1",
        recipient_participant_id="16505551235",
        biz_opaque_callback_data="our-id",
        errors=[error],
    )
    values = asdict(found)
    del values["raw"]
    assert values == {
        "wamid": "wamid.A",
        "phone_number_id": "1",
        "display_phone_number": "2",
        "waba_id": "11",
        "status": "failed",
        "timestamp": NOON,
        "recipient": "16505551234",
        "recipient_user_id": "US.1",
        "participant": "16505551235",
        "callback_data": "our-id",
        "error_code": 131047,
        "error_title": "Re-engagement",
        "error_details": "too late",
        "pricing": None,
    }


@pytest.mark.parametrize("status", ["sent", "delivered", "read", "played", "failed", "deleted"])
def test_a_bare_status_is_enough(status: Any) -> None:
    found = only_status(status=status)
    assert (found.status, found.recipient, found.error_code, found.error_title) == (status, None, None, "")


def test_a_user_id_where_a_number_belongs_is_seen_in_a_status_too() -> None:
    found = only_status(recipient_id="US.1")
    assert (found.recipient, found.recipient_user_id) == (None, "US.1")


@pytest.mark.parametrize("odd", [None, 5, "x", [], {}, {"id": ""}, {"id": 5}, {"id": "w" * 513}])
def test_messages_and_statuses_without_a_usable_id_are_unknown(odd: Any) -> None:
    assert kinds(webhook(messages=[odd], statuses=[odd])) == ["message", "status"]


@pytest.mark.parametrize("status", ["RINGING", "", None, 5, [], "SENT"])
def test_other_statuses_are_unknown(status: Any) -> None:
    assert kinds(webhook(statuses=[{"id": "wamid.A", "status": status}])) == ["status"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        *((odd, ["body"]) for odd in ODD_BODIES),
        (webhook("group_lifecycle_update", groups=[{}]), ["field:group_lifecycle_update"]),
        (webhook("", messages=[message()]), ["change"]),
        (webhook(["x"]), ["change"]),
        (webhook(), ["value"]),
        (webhook(messages=[], contacts=[ANNA]), ["value"]),
        (webhook(errors=[{"title": "x"}, 5]), ["value.errors", "value.errors"]),
        (webhook(user_actions=[{}], later={"a": 1}), ["value.user_actions", "value.later"]),
        (webhook(messages="x"), ["message"]),
        (webhook(messages=[message()], contacts=[5]), ["contact"]),
        (webhook(messages=[message()], contacts=5, metadata=5), ["contact", "value.metadata"]),
        (webhook(messages=[message()]) | {"later": 1}, ["body.later"]),
        ({"object": "whatsapp_business_account", "entry": [5, {}, {"changes": []}]}, ["entry"] * 3),
        ({"object": "whatsapp_business_account", "entry": [{"changes": [5], "later": 1}]}, ["change", "entry.later"]),
    ],
)
def test_what_is_not_understood_is_named_by_its_place(body: Any, expected: Any) -> None:
    assert kinds(body) == expected


def test_an_unknown_piece_keeps_its_json_and_where_it_came_from() -> None:
    body = webhook("later_update", event="DISABLED_UPDATE")
    body["entry"][0]["time"] = 1749416383
    (unknown,) = normalise(body).unknown
    assert (unknown.phone_number_id, unknown.waba_id, unknown.timestamp) == ("1", "11", NOON)
    assert unknown.raw == body["entry"][0]["changes"][0]


def test_what_postgresql_refuses_is_replaced_everywhere() -> None:
    found = only_message(text={"body": "a\x00b\ud800", "\x00": "\x00"})
    assert found.text == "a\ufffdb\ufffd"
    assert "\\u0000" not in json.dumps(found.raw)
    assert "\\ud800" not in json.dumps(found.raw)


def raws_of(found: Normalised) -> list[str]:
    return sorted(json.dumps(update.raw, sort_keys=True) for update in found.updates)


@pytest.mark.slow("reads random webhooks")
@given(
    messages=st.lists(MESSAGES | JSON, min_size=1, max_size=5),
    statuses=st.lists(STATUSES | JSON, max_size=5),
    errors=st.lists(JSON, max_size=3),
    contacts=st.lists(CONTACTS, max_size=3),
)
def test_stored_and_unknown_together_are_what_was_sent(
    messages: Any, statuses: Any, errors: Any, contacts: Any
) -> None:
    found = normalise(webhook(messages=messages, statuses=statuses, errors=errors, contacts=contacts))
    sent = sorted(json.dumps(storable(piece), sort_keys=True) for piece in (*messages, *statuses, *errors))
    assert raws_of(found) == sent


@given(lists(MESSAGES | STATUSES))
def test_each_piece_of_an_unknown_list_is_kept_as_it_is(pieces: Any) -> None:
    found = normalise(webhook(later=pieces, messages=[message()]))
    assert [unknown.raw for unknown in found.unknown] == storable(pieces)


@given(JSON | BODIES)
def test_nothing_raises_and_something_always_comes_out(body: Any) -> None:
    found = normalise(body)
    assert found.updates
    assert "\\u0000" not in json.dumps(asdict(found), default=str, allow_nan=False)


@pytest.mark.skipif(not samples.NAMES, reason="META_SAMPLES is not set")
@pytest.mark.parametrize("name", samples.NAMES or ["none"])
def test_metas_own_samples_are_messages_or_group_updates(name: str) -> None:
    found = normalise(samples.load("webhooks", name))
    assert len(found.messages) + len(found.unknown) == 1
    assert all(unknown.kind.startswith("field:group_") for unknown in found.unknown)
    assert all(update.sender and update.timestamp and update.phone_number_id for update in found.messages)
