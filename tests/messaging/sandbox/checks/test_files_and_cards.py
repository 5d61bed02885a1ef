"""What Meta refuses of files, locations, contact cards, reactions and pins."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ..graph_api.test_media import form, raw
from ..process import NUMBER, Sandbox
from ..receiver import Receiver

PATH = f"/v25.0/{NUMBER}/messages"
LINK = "https://example.com/a"
WAMID = "wamid.HBgLMTU1NTEyMzAwMDE="


def code_of(sandbox: Sandbox, message_type: str, node: object) -> int:
    """Meta's code of a refusal, 0 where the message is accepted."""
    body = {"messaging_product": "whatsapp", "to": "15551230001", "type": message_type, message_type: node}
    status, answer = sandbox.request("POST", PATH, body)
    assert status in {200, 400}
    return 0 if status == 200 else int(answer["error"]["code"])


def upload(sandbox: Sandbox, mime_type: str, content: bytes = b"x") -> tuple[int, Any]:
    body, content_type = form(content, messaging_product="whatsapp", type=mime_type)
    status, answer = raw(sandbox, "POST", f"/v25.0/{NUMBER}/media", body, **{"Content-Type": content_type})
    return status, json.loads(answer)


@pytest.mark.parametrize(
    ("message_type", "node", "code"),
    [
        ("image", {"link": LINK, "caption": "c" * 1024}, 0),
        ("image", {"link": LINK, "caption": "c" * 1025}, 100),
        ("image", {"link": LINK, "caption": " "}, 131009),
        ("image", {"link": LINK, "filename": "a.jpg"}, 100),
        ("image", {"link": "ftp://example.com/a"}, 100),
        ("image", {"link": LINK, "id": "123"}, 100),
        ("image", {"id": "123"}, 131009),
        ("image", {"id": 123}, 100),
        ("video", {"link": LINK, "caption": "Look"}, 0),
        ("audio", {"link": LINK, "voice": True}, 0),
        ("audio", {"link": LINK, "voice": "true"}, 100),
        ("audio", {"link": LINK, "caption": "Listen"}, 100),
        ("document", {"link": LINK, "filename": "a.pdf", "caption": "Read"}, 0),
        ("document", {"link": LINK, "filename": "a\nb.pdf"}, 131009),
        ("sticker", {"link": LINK}, 0),
        ("sticker", {"link": LINK, "caption": "Ha"}, 100),
        ("location", {"latitude": 52.5, "longitude": "13.4", "name": "Here", "address": ""}, 0),
        ("location", {"latitude": 91, "longitude": 0}, 131009),
        ("location", {"latitude": 0, "longitude": -180.1}, 131009),
        ("location", {"latitude": 10**400, "longitude": 0}, 131009),
        ("location", {"latitude": "north", "longitude": 0}, 100),
        ("location", {"latitude": True, "longitude": 0}, 100),
        ("location", {"latitude": 1}, 131008),
        ("location", {"latitude": 1, "longitude": 1, "url": LINK}, 100),
        ("contacts", [{"name": {"formatted_name": "Ann"}}] * 257, 0),
        ("contacts", [{"name": {"formatted_name": "Ann"}}] * 258, 100),
        ("contacts", [], 100),
        ("contacts", [{"name": {"formatted_name": " "}}], 131009),
        ("contacts", [{"name": {"formatted_name": "Ann", "nick_name": "A"}}], 100),
        ("contacts", [{"name": {"formatted_name": "Ann"}, "birthday": "2012-08-18"}], 0),
        ("contacts", [{"name": {"formatted_name": "Ann"}, "birthday": "18 August"}], 100),
        ("contacts", [{"name": {"formatted_name": "Ann"}, "phones": [{"phone": "1", "type": "HOME"}]}], 0),
        ("contacts", [{"name": {"formatted_name": "Ann"}, "phones": {"phone": "1"}}], 100),
        ("contacts", [{"name": {"formatted_name": "Ann"}, "phone": "1"}], 100),
        ("pin", {"type": "pin", "message_id": WAMID, "expiration_days": 30}, 0),
        ("pin", {"type": "pin", "message_id": WAMID, "expiration_days": 31}, 100),
        ("pin", {"type": "stick", "message_id": WAMID}, 100),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_node_is_checked(sandbox: Sandbox, message_type: str, node: object, code: int) -> None:
    assert code_of(sandbox, message_type, node) == code


@pytest.mark.parametrize(
    ("emoji", "code"),
    [
        ("👍", 0),
        ("❤️", 0),
        ("❤", 0),
        ("👍🏽", 0),
        ("👨‍👩‍👧‍👦", 0),
        ("🏳️‍🌈", 0),
        ("🇩🇪", 0),
        ("🏴󠁧󠁢󠁳󠁣󠁴󠁿", 0),
        ("1️⃣", 0),
        ("", 0),
        ("👍👍", 131009),
        ("🇩🇪🇫🇷", 131009),
        ("👍 ", 131009),
        ("ok", 131009),
        ("1", 131009),
        (":)", 131009),
        ("é", 131009),
        ("字", 131009),
        ("🇩", 131009),
        ("\u200d", 131009),
        (" ", 131009),
        (7, 100),
        (None, 131008),
    ],
)
def test_a_reaction_is_one_emoji(sandbox: Sandbox, emoji: object, code: int) -> None:
    assert code_of(sandbox, "reaction", {"message_id": WAMID, "emoji": emoji}) == code


@pytest.mark.parametrize(
    ("message_id", "code"),
    [
        (WAMID, 0),
        ("wamid.", 131009),
        ("HBgLMTU1NTEyMzAwMDE=", 131009),
        ("wamid.a/b c", 131009),
        (7, 100),
        (None, 131008),
    ],
)
def test_a_reaction_is_to_a_wamid(sandbox: Sandbox, message_id: object, code: int) -> None:
    assert code_of(sandbox, "reaction", {"message_id": message_id, "emoji": "👍"}) == code


@pytest.fixture
def upload_to(sandbox: Sandbox, receiver: Receiver) -> Uploads:
    return Uploads(sandbox, receiver)


OFFICE = "application/vnd.openxmlformats-officedocument"


@pytest.mark.parametrize(
    ("mime_type", "status"),
    [
        *[
            (f"audio/{kind}", 200)
            for kind in ("aac", "mp4", "mpeg", "amr", "ogg; codecs=opus", "ogg;codecs=OPUS", "opus")
        ],
        *[(f"image/{kind}", 200) for kind in ("jpeg", "png", "webp")],
        *[(f"video/{kind}", 200) for kind in ("mp4", "3gpp")],
        *[(f"application/{kind}", 200) for kind in ("pdf", "msword", "vnd.ms-excel", "vnd.ms-powerpoint")],
        *[(f"{OFFICE}.{kind}", 200) for kind in ("wordprocessingml.document", "spreadsheetml.sheet")],
        (f"{OFFICE}.presentationml.presentation", 200),
        ("text/plain", 200),
        *[(f"text/{kind}", 400) for kind in ("csv", "html", "xml")],
        *[(f"application/{kind}", 400) for kind in ("octet-stream", "zip", "json")],
        *[(f"image/{kind}", 400) for kind in ("jpg", "gif", "svg+xml", "heic")],
        *[(f"audio/{kind}", 400) for kind in ("wav", "webm", "ogg", "ogg; codecs=vorbis", "ogg; opus")],
        *[(f"video/{kind}", 400) for kind in ("webm", "quicktime")],
    ],
)
def test_an_upload_has_one_of_metas_types(sandbox: Sandbox, mime_type: str, status: int) -> None:
    answer = upload(sandbox, mime_type)
    assert (answer[0], answer[1].get("error", {}).get("code")) == (status, None if status == 200 else 100)


MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("mime_type", "most"),
    [("image/png", 5 * MIB), ("image/webp", 500 * 1024), ("audio/mpeg", 16 * MIB), ("video/mp4", 16 * MIB)],
)
def test_an_upload_has_metas_size(sandbox: Sandbox, mime_type: str, most: int) -> None:
    codes = [upload(sandbox, mime_type, bytes(size))[1].get("error", {}).get("code") for size in (most, most + 1)]
    assert codes == [None, 131053]


def test_an_empty_upload_is_refused(sandbox: Sandbox) -> None:
    status, answer = upload(sandbox, "image/png", b"")
    assert (status, answer["error"]["code"]) == (400, 100)


STILL, ANIMATED = b"RIFF....WEBPVP8L", b"RIFF....WEBPVP8X....ANIM"


@pytest.mark.parametrize(
    ("message_type", "mime_type", "content", "last"),
    [
        ("image", "image/png", b"x", "read"),
        ("document", "image/png", b"x", "read"),
        ("audio", "audio/ogg; codecs=opus", b"x", "read"),
        ("sticker", "image/webp", STILL + bytes(1000), "read"),
        ("sticker", "image/webp", ANIMATED + bytes(101 * 1024), "read"),
        ("sticker", "image/webp", STILL + bytes(101 * 1024), "failed"),
        ("sticker", "image/png", b"x", "failed"),
        ("image", "image/webp", b"x", "failed"),
        ("image", "application/pdf", b"x", "failed"),
        ("audio", "audio/opus", b"x", "failed"),
        ("video", "audio/mp4", b"x", "failed"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_file_that_the_message_cannot_carry_fails_by_webhook(
    upload_to: Uploads, message_type: str, mime_type: str, content: bytes, last: str
) -> None:
    assert upload_to.fate_of(message_type, mime_type, content) == (last, 131053 if last == "failed" else None)


class Uploads:
    """Uploads a file, sends it, and waits for the last status."""

    def __init__(self, sandbox: Sandbox, receiver: Receiver) -> None:
        self._sandbox = sandbox
        self._receiver = receiver

    def fate_of(self, message_type: str, mime_type: str, content: bytes) -> tuple[str, int | None]:
        """The last status, and the code of a failure."""
        media_id = upload(self._sandbox, mime_type, content)[1]["id"]
        assert code_of(self._sandbox, message_type, {"id": media_id}) == 0
        wamid = self._sandbox.ledger()["messages"][0]["wamid"]
        last = {"failed", "read"}
        (hook,) = self._receiver.wait_for(
            1, lambda hook: hook.status.get("id") == wamid and hook.status.get("status") in last
        )
        return hook.status["status"], hook.status.get("errors", [{}])[0].get("code")
