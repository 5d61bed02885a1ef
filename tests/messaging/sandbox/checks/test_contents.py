"""What the sandbox checks of a send beside text and templates: the limits of `messaging.whatsapp.outbound`."""

from __future__ import annotations

from typing import Any

import pytest

from ..process import NUMBER, Sandbox

PATH = f"/v25.0/{NUMBER}/messages"
BUTTON = {"type": "reply", "reply": {"id": "a", "title": "Yes"}}


def interactive(*buttons: Any) -> dict[str, Any]:
    return {"type": "button", "body": {"text": "?"}, "action": {"buttons": list(buttons)}}


def send(sandbox: Sandbox, message_type: str, node: object) -> tuple[int, Any]:
    body = {"messaging_product": "whatsapp", "to": "15551230001", "type": message_type, message_type: node}
    return sandbox.request("POST", PATH, body)


@pytest.mark.parametrize(
    ("message_type", "node"),
    [
        ("interactive", interactive(BUTTON)),
        ("contacts", [{"name": {"formatted_name": "Ann"}}]),
        ("reaction", {"message_id": "wamid.A", "emoji": ""}),
        ("location", {"latitude": "1.5", "longitude": 2}),
        ("sticker", {"link": "https://example.com/s.webp"}),
    ],
)
def test_good_ones_are_accepted(sandbox: Sandbox, message_type: str, node: object) -> None:
    assert send(sandbox, message_type, node)[0] == 200


@pytest.mark.parametrize(
    ("message_type", "node", "code", "words"),
    [
        ("interactive", interactive(), 100, "interactive['action']['buttons'] must have 1 to 3"),
        ("interactive", interactive(BUTTON, BUTTON | {"reply": {"id": "b", "title": "t" * 21}}), 100,
         "interactive['action']['buttons'][1]['reply']['title'] must have 1 to 20"),
        ("interactive", {"type": "button"}, 131008, "interactive['action'] is mandatory"),
        ("contacts", [{"name": {}}], 131008, "contacts[0]['name']['formatted_name'] is mandatory"),
        ("contacts", {"name": {}}, 100, "contacts must be an array"),
        ("image", {}, 100, "image needs id or link"),
        ("image", {"link": "https://example.com/a", "caption": "c" * 1025}, 100, "caption'] must have 1 to 1024"),
    ],
    ids=str,
)  # fmt: skip
def test_bad_ones_are_refused_with_the_place(
    sandbox: Sandbox, message_type: str, node: object, code: int, words: str
) -> None:
    status, answer = send(sandbox, message_type, node)
    assert (status, answer["error"]["code"]) == (400, code)
    assert words in answer["error"]["error_data"]["details"]


def test_a_typing_indicator_has_one_form(sandbox: Sandbox) -> None:
    wamid = sandbox.post("/_sandbox/inbound", {"from": "15551230001", "text": "Hi"})["wamid"]
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
    assert sandbox.post(PATH, body | {"typing_indicator": {"type": "text"}}) == {"success": True}
    assert sandbox.request("POST", PATH, body | {"typing_indicator": {"type": "voice"}})[0] == 400
