"""Webhooks: their shape, the signature over their bytes, and what happens when nobody answers 200."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from ..process import APP_SECRET, NUMBER, OTHER_NUMBER, Sandbox, text_message
from ..receiver import Hook, Receiver


def any_status(hook: Hook) -> bool:
    return "statuses" in hook.value


def any_message(hook: Hook) -> bool:
    return "messages" in hook.value


def test_an_accepted_message_is_sent_then_delivered_then_read(sandbox: Sandbox, receiver: Receiver) -> None:
    wamid = sandbox.send()
    statuses = [hook.status for hook in receiver.wait_for(3, any_status)]
    assert {status["status"] for status in statuses} == {"sent", "delivered", "read"}
    assert {status["id"] for status in statuses} == {wamid}
    [entry] = sandbox.ledger()["messages"]
    assert [status["status"] for status in entry["statuses"]] == ["sent", "delivered", "read"]


def test_a_further_number_sends_and_its_statuses_name_it(sandbox: Sandbox, receiver: Receiver) -> None:
    status, _ = sandbox.request("POST", f"/v25.0/{OTHER_NUMBER}/messages", text_message())
    named = receiver.wait_for(3, lambda hook: hook.value["metadata"]["phone_number_id"] == OTHER_NUMBER)
    # Webhooks are requests of their own: one may overtake another.
    assert (status, {hook.status["status"] for hook in named}) == (200, {"sent", "delivered", "read"})


def test_a_status_has_metas_envelope_and_echoes_the_callback_data(sandbox: Sandbox, receiver: Receiver) -> None:
    wamid = sandbox.send(biz_opaque_callback_data="our-id")
    [hook] = receiver.wait_for(1, lambda hook: hook.status.get("status") == "sent")
    envelope = json.loads(hook.body)
    status = hook.status
    user_id = status["recipient_user_id"]
    assert (envelope["object"], envelope["entry"][0]["id"]) == ("whatsapp_business_account", "102290129340398")
    assert hook.value["metadata"] == {"display_phone_number": "15550783881", "phone_number_id": NUMBER}
    assert hook.value["contacts"] == [{"wa_id": "15551230001", "user_id": user_id}]
    assert user_id.startswith("US.")
    assert status == {
        "id": wamid,
        "status": "sent",
        "timestamp": str(int(status["timestamp"])),
        "recipient_id": "15551230001",
        "recipient_user_id": user_id,
        "biz_opaque_callback_data": "our-id",
        "pricing": {
            "billable": False,
            "pricing_model": "PMP",
            "type": "free_customer_service",
            "category": "service",
        },
    }


def test_pricing_comes_with_sent_and_delivered_only(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.send()
    statuses = [hook.status for hook in receiver.wait_for(3, any_status)]
    assert {status["status"] for status in statuses if "pricing" in status} == {"sent", "delivered"}


def test_a_status_to_a_user_id_has_no_phone_number(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.send(to=None, recipient="US.123")
    [hook] = receiver.wait_for(1, lambda hook: hook.status.get("status") == "sent")
    assert hook.value["contacts"] == [{"user_id": "US.123"}]
    assert "recipient_id" not in hook.status


def test_the_signature_covers_the_very_bytes(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/inbound", {"from": "15551230001", "text": "Grüße @ http://x.example/ 👋"})
    [hook] = receiver.wait_for(1, any_message)
    digest = hmac.new(APP_SECRET.encode(), hook.body, hashlib.sha256).hexdigest()
    assert hook.headers["X-Hub-Signature-256"] == f"sha256={digest}"
    assert hook.headers["User-Agent"] == "facebookexternalua"
    assert hook.headers["Content-Type"] == "application/json"


def test_non_ascii_and_slashes_are_escaped(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/inbound", {"from": "15551230001", "text": "ä/👋\\/"})
    [hook] = receiver.wait_for(1, any_message)
    assert rb'"body":"\u00e4\/\ud83d\udc4b\\\/"' in hook.body
    assert hook.value["messages"][0]["text"]["body"] == "ä/👋\\/"


@pytest.mark.parametrize("answer", [503, 500, 302, 204, 404])
def test_anything_but_200_is_retried_with_the_same_bytes(sandbox: Sandbox, receiver: Receiver, answer: int) -> None:
    receiver.answers = [answer]
    outcome = sandbox.post("/_sandbox/inbound", {"from": "15551230001", "text": "Hi"})
    assert (outcome["delivered"], outcome["http_status"]) == (False, answer)
    first, second = receiver.wait_for(2, any_message)
    assert (first.answered, second.answered) == (answer, 200)
    assert first.body == second.body


def test_the_ledger_counts_the_attempts_of_each_status(sandbox: Sandbox, receiver: Receiver) -> None:
    receiver.answers = [503, 503]
    sandbox.send()
    receiver.wait_for(5, any_status)
    statuses = sandbox.ledger()["messages"][0]["statuses"]
    assert sorted(status["attempts"] for status in statuses) == [1, 2, 2]


def test_read_can_be_turned_off(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/settings", {"read": False, "status_delays_ms": [0, 40, 20]})
    sandbox.send()
    sandbox.post("/_sandbox/settings", {"read": True})
    sandbox.send(to="15551230002")
    receiver.wait_for(1, lambda hook: hook.status["status"] == "delivered" and "0001" in hook.status["recipient_id"])
    receiver.wait_for(1, lambda hook: hook.status["status"] == "read" and "0002" in hook.status["recipient_id"])
    seen = [hook.status["status"] for hook in receiver.hooks if hook.status["recipient_id"] == "15551230001"]
    assert sorted(seen) == ["delivered", "sent"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"text": "Hi"}, {"type": "text", "text": {"body": "Hi"}}),
        (
            {"type": "button", "button": {"payload": "p"}, "context": {"id": "wamid.x"}},
            {"type": "button", "button": {"payload": "p"}, "context": {"id": "wamid.x"}},
        ),
        (
            {"type": "unsupported", "errors": [{"code": 131051}]},
            {"type": "unsupported", "errors": [{"code": 131051}]},
        ),
    ],
)
def test_a_user_writes(sandbox: Sandbox, receiver: Receiver, given: dict[str, object], expected: object) -> None:
    outcome = sandbox.post("/_sandbox/inbound", {"from": "+15551230001", "name": "Ann", **given})
    assert (outcome["delivered"], outcome["http_status"]) == (True, 200)
    [hook] = receiver.wait_for(1, any_message)
    [message] = hook.value["messages"]
    user_id = message.pop("from_user_id")
    assert hook.value["contacts"] == [{"profile": {"name": "Ann"}, "wa_id": "15551230001", "user_id": user_id}]
    assert (message.pop("from"), message.pop("id")) == ("15551230001", outcome["wamid"])
    assert message.pop("timestamp").isdigit()
    assert message == expected


def test_a_user_without_a_phone_number_writes(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/inbound", {"user_id": "US.123", "text": "Hi"})
    [hook] = receiver.wait_for(1, any_message)
    assert hook.value["contacts"] == [{"profile": {"name": "Sandbox User"}, "user_id": "US.123"}]
    assert hook.value["messages"][0]["from_user_id"] == "US.123"
    assert "from" not in hook.value["messages"][0]


def test_a_system_message_has_no_contacts(sandbox: Sandbox, receiver: Receiver) -> None:
    node = {"type": "user_changed_number", "wa_id": "15551230009"}
    sandbox.post("/_sandbox/inbound", {"from": "15551230001", "type": "system", "system": node})
    [hook] = receiver.wait_for(1, any_message)
    assert "contacts" not in hook.value
