"""Facts of a file that need no request."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from messaging.media.serve import is_inline, parse_range
from messaging.media_states import RETRY_PERIOD, Failure, LocalFailure, State, decide
from messaging.whatsapp.media import file_of, is_mime_type, is_same_digest
from messaging.whatsapp.media_api import TransferFailure

DIGEST = hashlib.sha256(b"a photo").digest()
NOW = datetime(2026, 11, 24, tzinfo=UTC)
LATER = NOW + RETRY_PERIOD


@pytest.mark.parametrize(
    ("message_type", "content", "media_id"),
    [
        ("image", {"id": "1"}, "1"),
        ("voice", {"id": "2", "voice": True}, "2"),
        ("sticker", {"id": "3"}, "3"),
        ("edit", {"original_message_id": "wamid.1", "type": "video", "content": {"id": "4"}}, "4"),
        ("edit", {"original_message_id": "wamid.1", "type": "text", "content": {"body": "new"}}, None),
        ("image", {"image": None}, None),
        ("image", {"id": ""}, None),
        ("image", {"id": 17}, "17"),
        ("image", {"id": ["1"]}, None),
        ("image", {"id": "1" * 4097}, None),
        ("edit", {"type": ["image"], "content": "text"}, None),
        ("edit", {"type": "image", "content": ["id"]}, None),
        ("hologram", {"id": "1"}, None),
        ("text", {"body": "hi"}, None),
    ],
)
def test_the_file_of_stored_content_is_found(message_type: str, content: dict[str, Any], media_id: str | None) -> None:
    found = file_of(message_type, content)
    assert (found and found.id) == media_id


@pytest.mark.parametrize(
    ("claimed", "same"),
    [
        ("", True),
        (DIGEST.hex(), True),
        (DIGEST.hex().upper(), True),
        (base64.b64encode(DIGEST).decode(), True),
        (base64.urlsafe_b64encode(DIGEST).decode().rstrip("="), True),
        (base64.b64encode(hashlib.sha256(b"another").digest()).decode(), False),
        ("not a digest", False),
        ("x" * 64, False),
    ],
)
def test_a_digest_is_read_in_base64_and_in_hex(claimed: str, same: bool) -> None:
    assert is_same_digest(claimed, DIGEST) is same


@pytest.mark.parametrize(
    ("text", "can"),
    [
        ("image/jpeg", True),
        ("audio/ogg; codecs=opus", True),
        ('text/plain; charset="utf-8"', True),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", True),
        ("", False),
        ("image", False),
        ("text/html\r\nSet-Cookie: a=b", False),
        ("text/html\n", False),
        ("x/" + "y" * 130, False),
    ],
)
def test_valid_and_invalid_mime_types(text: str, can: bool) -> None:
    assert is_mime_type(text) is can


@pytest.mark.parametrize(
    ("failure", "tries", "state", "waits_s"),
    [
        (None, 1, State.STORED, None),
        (Failure(TransferFailure.GONE), 1, State.GONE, None),
        (Failure(TransferFailure.TOO_LARGE), 1, State.TOO_LARGE, None),
        (Failure(TransferFailure.REFUSED), 1, State.FAILED, None),
        (Failure(TransferFailure.UNAVAILABLE), 1, State.WAITING, 2),
        (Failure(TransferFailure.UNAVAILABLE), 4, State.WAITING, 300),
        (Failure(TransferFailure.UNAVAILABLE), 500, State.WAITING, 3600),
        (Failure(TransferFailure.UNAVAILABLE, 120), 1, State.WAITING, 120),
        (Failure(TransferFailure.EXPIRED), 2, State.WAITING, 10),
        (Failure(TransferFailure.THROTTLED, 30), 0, State.WAITING, 30),
        (Failure(TransferFailure.THROTTLED, 10**9), 1, State.WAITING, RETRY_PERIOD.total_seconds()),
        (Failure(TransferFailure.MISCONFIGURED), 1, State.WAITING, 900),
        (Failure(LocalFailure.NOT_STORED), 3, State.WAITING, 60),
        (Failure(LocalFailure.BROKEN), 2, State.WAITING, 10),
        (Failure(LocalFailure.BROKEN, repeated=True), 2, State.WAITING, 10),
        (Failure(LocalFailure.BROKEN, repeated=True), 3, State.DAMAGED, None),
        # The first broken transfer, after an outage.
        (Failure(LocalFailure.BROKEN), 3, State.WAITING, 60),
        (Failure(LocalFailure.BROKEN), 9, State.WAITING, 3600),
    ],
)
def test_the_decision_after_an_attempt(
    failure: Failure | None, tries: int, state: State, waits_s: float | None
) -> None:
    decision = decide(failure, tries, LATER, NOW, 0.0)
    assert (decision.state, decision.due_at and (decision.due_at - NOW).total_seconds()) == (state, waits_s)


def test_the_last_attempt_is_made_at_the_end_of_the_retry_period() -> None:
    soon = NOW + timedelta(seconds=1)
    before, after = (decide(Failure(TransferFailure.UNAVAILABLE), 4, soon, at, 0.9) for at in (NOW, soon))
    assert (before.state, before.due_at, after.state) == (State.WAITING, soon, State.FAILED)


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("", (0, 100)),
        ("bytes=0-", (0, 100)),
        ("bytes=10-19", (10, 20)),
        ("bytes=90-500", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes=100-", None),
        ("bytes=-0", None),
        ("bytes=20-10", (0, 100)),
        ("bytes=-", (0, 100)),
        ("bytes=0-1,5-6", (0, 100)),
        ("lines=1-2", (0, 100)),
    ],
)
def test_the_bytes_of_a_range_header(header: str, part: tuple[int, int] | None) -> None:
    assert parse_range(header, 100) == part


@pytest.mark.parametrize(
    ("mime_type", "shown"),
    [
        ("image/png", True),
        ("IMAGE/JPEG", True),
        ("audio/ogg; codecs=opus", True),
        ("video/mp4", True),
        ("image/svg+xml", False),
        ("text/html", False),
        ("application/pdf", False),
        ("", False),
    ],
)
def test_the_types_that_are_shown_inline(mime_type: str, shown: bool) -> None:
    assert is_inline(mime_type) is shown
