"""Sending: what is accepted, what is refused, and how the answers look."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ..process import NUMBER, OTHER_NUMBER, Sandbox, text_message

PATH = f"/v25.0/{NUMBER}/messages"


def error(answer: tuple[int, Any]) -> tuple[int, int]:
    """The HTTP status and Meta's code."""
    status, body = answer
    assert body["error"]["fbtrace_id"]
    return status, body["error"]["code"]


def test_an_accepted_send_is_answered_as_meta_does(sandbox: Sandbox) -> None:
    answer = sandbox.post(PATH, {**text_message(), "to": "+1 (555) 123-0001"})
    wamid = answer["messages"][0].pop("id")
    assert wamid.startswith("wamid.")
    assert answer == {
        "messaging_product": "whatsapp",
        "contacts": [{"input": "+1 (555) 123-0001", "wa_id": "15551230001"}],
        "messages": [{"message_status": "accepted"}],
    }


def test_a_send_to_a_user_id_is_answered_with_the_user_id(sandbox: Sandbox) -> None:
    body = {key: value for key, value in text_message().items() if key != "to"}
    answer = sandbox.post(PATH, {**body, "recipient": "US.13491208655302741918"})
    assert answer["contacts"] == [{"input": "US.13491208655302741918", "user_id": "US.13491208655302741918"}]


def test_to_wins_over_recipient(sandbox: Sandbox) -> None:
    sandbox.send(recipient="US.13491208655302741918")
    assert sandbox.ledger()["messages"][0]["to"] == "15551230001"


def test_a_wamid_holds_the_digits_and_is_unique(sandbox: Sandbox) -> None:
    wamids = {sandbox.send() for _ in range(20)}
    assert len(wamids) == 20
    assert all(b"15551230001" in base64.b64decode(wamid.removeprefix("wamid.")) for wamid in wamids)


@pytest.mark.parametrize("version", ["v16.0", "v23.0", "v99.9"])
def test_every_version_is_served(sandbox: Sandbox, version: str) -> None:
    assert sandbox.post(f"/{version}/{NUMBER}/messages", text_message())["messages"]


@pytest.mark.parametrize(
    "message",
    [
        {"text": {"body": "no type means text"}},
        {"type": "text", "text": {"body": "é" * 4096}},
        {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}},
        {"type": "image", "image": {"link": "https://example.com/a.png"}},
        {"type": "contacts", "contacts": [{"name": {"formatted_name": "Ann"}}]},
    ],
)
def test_valid_messages_are_accepted(sandbox: Sandbox, message: dict[str, object]) -> None:
    assert sandbox.post(PATH, {"messaging_product": "whatsapp", "to": "15551230001", **message})["messages"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"messaging_product": None}, 100),
        ({"messaging_product": "sms"}, 100),
        ({"to": None}, 100),
        ({"to": 15551230001}, 100),
        ({"to": "not a number"}, 131009),
        ({"to": "1" * 16}, 131009),
        ({"to": None, "recipient": "13491208655302741918"}, 131009),
        ({"recipient_type": "group"}, 100),
        ({"type": "fax", "fax": {}}, 100),
        ({"type": ["text"]}, 100),
        ({"text": None}, 131008),
        ({"text": "Hello"}, 100),
        ({"text": {}}, 131008),
        ({"text": {"body": ""}}, 100),
        ({"text": {"body": 5}}, 100),
        ({"text": {"body": "x" * 4097}}, 100),
        ({"type": "template"}, 131008),
        ({"type": "template", "template": {"language": {"code": "en_US"}}}, 131008),
        ({"type": "template", "template": {"name": "hello_world"}}, 131008),
        ({"type": "template", "template": {"name": "hello_world", "language": "en_US"}}, 100),
        ({"type": "template", "template": {"name": "hello_world", "language": {}}}, 131008),
        ({"type": "template", "template": {"name": 7, "language": {"code": "en_US"}}}, 100),
        ({"type": "image", "image": "https://example.com/a.png"}, 100),
        ({"type": "contacts", "contacts": {}}, 100),
        ({"biz_opaque_callback_data": "x" * 513}, 100),
        ({"biz_opaque_callback_data": {"id": 1}}, 100),
        ({"status": "unread"}, 100),
        ({"status": "read"}, 131008),
        ({"status": "read", "message_id": 7}, 100),
    ],
)
def test_a_fault_is_refused_with_metas_code(sandbox: Sandbox, changes: dict[str, object], code: int) -> None:
    status, answer = sandbox.request("POST", PATH, {**text_message(), **changes})
    assert error((status, answer)) == (400, code)
    assert answer["error"]["error_data"]["messaging_product"] == "whatsapp"
    assert answer["error"]["error_data"]["details"]
    assert answer["error"]["message"].startswith(f"(#{code}) ")
    assert sandbox.ledger() == {"count": 0, "messages": []}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"messaging_product": NaN}', b"[" * 100_000])
def test_what_is_no_json_object_is_refused(sandbox: Sandbox, body: bytes) -> None:
    assert error(sandbox.request("POST", PATH, body)) == (400, 100)


@pytest.mark.parametrize("token", ["", "wrong", "test-token-and-more"])
def test_a_wrong_token_is_refused_before_anything_else(sandbox: Sandbox, token: str) -> None:
    assert error(sandbox.request("POST", "/v25.0/999/messages", {}, token=token)) == (401, 190)


@pytest.mark.parametrize(("method", "number"), [("POST", "999"), ("GET", NUMBER)])
def test_an_unknown_number_or_method_is_no_such_object(sandbox: Sandbox, method: str, number: str) -> None:
    status, answer = sandbox.request(method, f"/v25.0/{number}/messages", text_message())
    assert (status, answer["error"]["code"], answer["error"]["error_subcode"]) == (400, 100, 33)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_path_is_answered_in_metas_shape(sandbox: Sandbox, method: str) -> None:
    assert error(sandbox.request(method, "/v25.0/nothing/here")) == (400, 2500)


def test_the_answer_time_is_kept(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/settings", {"answer_ms": [200, 200]})
    sandbox.send()
    entry = sandbox.ledger()["messages"][0]
    assert 0.2 <= entry["accepted_at"] - entry["received_at"] < 1


def test_a_message_that_no_user_sent_cannot_be_marked_read(sandbox: Sandbox) -> None:
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.unknown"}
    assert error(sandbox.request("POST", PATH, receipt)) == (400, 131009)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"preview_url": True}, 100),
        ({"ttl": 60}, 100),
        ({"text": {"body": "Hi", "preview": True}}, 100),
        ({"text": {"body": "Hi", "preview_url": "true"}}, 100),
        ({"text": {"body": "Hi", "preview_url": 1}}, 100),
        ({"text": {"body": " \n\t "}}, 131009),
        ({"text": {"body": "\u200b\u2060"}}, 131009),
        ({"context": "wamid.HBgLMTU1NTEyMzAwMDE="}, 100),
        ({"context": {}}, 131008),
        ({"context": {"message_id": 7}}, 100),
        ({"context": {"message_id": "7"}}, 131009),
        ({"context": {"message_id": "wamid."}}, 131009),
        ({"context": {"message_id": "wamid.a b"}}, 131009),
        ({"context": {"message_id": "wamid.A", "from": "15551230001"}}, 100),
        ({"to": "+1 555 078 3881"}, 131021),
        ({"type": "TEXT"}, 100),
        ({"recipient_type": None}, 100),
        ({"recipient_identity_key_hash": 5}, 100),
        ({"product_policy": "STRICT"}, 100),
        ({"status": "read", "message_id": "wamid.A", "other": 1}, 100),
    ],
    ids=str,
)
def test_what_meta_would_refuse_is_refused(sandbox: Sandbox, changes: dict[str, object], code: int) -> None:
    assert error(sandbox.request("POST", PATH, {**text_message(), **changes})) == (400, code)


@pytest.mark.parametrize(
    "changes",
    [
        {"text": {"body": "Hi", "preview_url": False}},
        {"text": {"body": "two\nlines,  and     blanks"}},
        {"context": {"message_id": "wamid.HBgLMTU1NTEyMzAwMDE="}},
        {"recipient_type": "individual", "recipient_identity_key_hash": "abc"},
        {"context": None, "image": None},
    ],
    ids=str,
)
def test_what_meta_takes_is_taken(sandbox: Sandbox, changes: dict[str, object]) -> None:
    assert sandbox.request("POST", PATH, {**text_message(), **changes})[0] == 200


def test_a_users_message_can_be_marked_read(sandbox: Sandbox) -> None:
    wamid = sandbox.post("/_sandbox/inbound", {"from": "15551230001", "text": "Hi"})["wamid"]
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
    assert sandbox.post(PATH, {**receipt, "typing_indicator": {"type": "text"}}) == {"success": True}
    assert sandbox.ledger()["count"] == 0, json.dumps(sandbox.ledger())


def test_only_the_number_that_a_user_wrote_to_marks_it_as_read(sandbox: Sandbox) -> None:
    wamid = sandbox.post("/_sandbox/inbound", {"from": "15551230001", "text": "Hi"})["wamid"]
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
    status, answer = sandbox.request("POST", PATH.replace(NUMBER, OTHER_NUMBER), receipt)
    assert (status, answer["error"]["code"]) == (400, 131009)
