"""The normal form of phone numbers, which the answer of a send and every webhook have."""

from __future__ import annotations

import pytest

from ..process import Sandbox
from ..receiver import Receiver


@pytest.mark.parametrize(
    ("given", "wa_id"),
    [
        # Mexico: WhatsApp keeps the 1 that the country gave up.
        ("525512340918", "5215512340918"),
        ("5215512340918", "5215512340918"),
        ("+52 1 55 1234 0918", "5215512340918"),
        # Argentina: WhatsApp keeps the 9 of mobile numbers.
        ("541123456789", "5491123456789"),
        ("5491123456789", "5491123456789"),
        # Brazil: nine digits in the area codes 11 to 28, eight from 31 on.
        ("551191234567", "5511991234567"),
        ("5511991234567", "5511991234567"),
        ("552891234567", "5528991234567"),
        ("5531991234567", "553191234567"),
        ("553191234567", "553191234567"),
        ("5585998765432", "558598765432"),
        # A landline has eight digits everywhere.
        ("551132123456", "551132123456"),
        ("553132123456", "553132123456"),
        # All others are as they are dialled.
        ("15551230001", "15551230001"),
        ("4915112345678", "4915112345678"),
        ("2290112345678", "2290112345678"),
    ],
)
def test_a_send_is_answered_with_the_normal_form(sandbox: Sandbox, given: str, wa_id: str) -> None:
    answer = sandbox.post(
        "/v25.0/106540352242922/messages",
        {"messaging_product": "whatsapp", "to": given, "type": "text", "text": {"body": "Hi"}},
    )
    assert answer["contacts"] == [{"input": given, "wa_id": wa_id}]


@pytest.mark.parametrize("asked", ["525512340918", "5215512340918", "+52 1 55 1234 0918"])
def test_the_ledger_finds_a_user_by_every_spelling(sandbox: Sandbox, asked: str) -> None:
    sandbox.send(to="525512340918")
    found = sandbox.ledger(f"?to={asked.replace('+', '%2B').replace(' ', '%20')}")["messages"]
    assert [entry["to"] for entry in found] == ["5215512340918"]


@pytest.mark.parametrize("spelling", ["5531991234567", "553191234567"])
def test_a_users_webhook_has_the_spelling_that_was_given(sandbox: Sandbox, receiver: Receiver, spelling: str) -> None:
    sandbox.post("/_sandbox/inbound", {"from": spelling, "text": "Oi"})
    (hook,) = receiver.wait_for(1, lambda hook: "messages" in hook.value)
    assert (hook.value["messages"][0]["from"], hook.value["contacts"][0]["wa_id"]) == (spelling, spelling)


def test_both_spellings_are_one_user(sandbox: Sandbox, receiver: Receiver) -> None:
    for spelling in ("5531991234567", "553191234567"):
        sandbox.post("/_sandbox/inbound", {"from": spelling, "text": "Oi"})
    hooks = receiver.wait_for(2, lambda hook: "messages" in hook.value)
    assert len({hook.value["messages"][0]["from_user_id"] for hook in hooks}) == 1


@pytest.mark.parametrize(("wrote", "to"), [("541123456789", "5491123456789"), ("5491123456789", "541123456789")])
def test_a_window_is_open_to_every_spelling(sandbox: Sandbox, wrote: str, to: str) -> None:
    sandbox.post("/_sandbox/settings", {"window": "refuse"})
    sandbox.post("/_sandbox/inbound", {"from": wrote, "text": "Hola"})
    assert sandbox.send(to=to)
