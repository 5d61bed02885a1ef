"""Media files in memory: their ids, signed URLs and faults."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ..settings import InputError
from .file_types import MEDIA_TYPES
from .samples import Upload, sample

# https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
URL_LIVES_S = 300
# The oldest go first: all is in memory.
MOST_FILES, MOST_BYTES = 1000, 512 * 1024 * 1024
DEFAULT_SLOW_S = 5.0
MAX_SLOW_S = 120.0
TOO_LARGE_BYTES = 2 * 1024**3


class FaultKind(StrEnum):
    """What goes wrong when the file is fetched. Those with `times` happen that many times, then all is well."""

    # The webhook and the look-up report the SHA-256 of other content.
    WRONG_SHA = "wrong_sha"
    # The look-up reports 2 GB.
    TOO_LARGE = "too_large"
    # The look-up reports the true size, and the transfer continues beyond it.
    ENDLESS = "endless"
    # The look-up knows no such id.
    GONE = "gone"
    # The transfer takes this many `seconds`.
    SLOW = "slow"
    # The URL leads to a host that is not Meta's, or is answered with a redirect to one.
    ELSEWHERE = "elsewhere"
    REDIRECT = "redirect"
    # `times`: the URL has run out when it is given; 503 and 429 to the look-up; the transfer breaks off.
    EXPIRED = "expired"
    UNAVAILABLE = "unavailable"
    THROTTLED = "throttled"
    CUT = "cut"


@dataclass(slots=True)
class Fault:
    """One fault; `times` is how often it still happens."""

    kind: FaultKind
    times: int = 1
    seconds: float = DEFAULT_SLOW_S


@dataclass(slots=True)
class MediaFile:
    """One file, and how often it was looked up and fetched."""

    id: str
    content: bytes
    mime_type: str
    filename: str = ""
    fault: Fault | None = None
    look_ups: int = 0
    transfers: int = 0

    @property
    def digest(self) -> bytes:
        """The SHA-256 that the webhook and the look-up report."""
        hashed = b"other content" if self.has(FaultKind.WRONG_SHA) else self.content
        return hashlib.sha256(hashed).digest()

    @property
    def reported_size(self) -> int:
        """The size that the look-up reports."""
        return TOO_LARGE_BYTES if self.has(FaultKind.TOO_LARGE) else len(self.content)

    def has(self, kind: FaultKind) -> bool:
        """Whether the file has this fault."""
        return self.fault is not None and self.fault.kind is kind

    def fails_now(self, kind: FaultKind) -> bool:
        """Whether the fault hits this time; counts down."""
        if self.fault is None or self.fault.kind is not kind or self.fault.times < 1:
            return False
        self.fault.times -= 1
        return True


@dataclass(slots=True)
class MediaLibrary:
    """All files by id."""

    secret: str
    _files: dict[str, MediaFile] = field(default_factory=dict)

    def add(self, upload: Upload, fault: Fault | None = None) -> MediaFile:
        """Store a file under a new id."""
        media_id = str(secrets.randbelow(9 * 10**14) + 10**14)
        file = self._files[media_id] = MediaFile(media_id, upload.content, upload.mime_type, upload.filename, fault)
        while len(self._files) > 1 and (len(self._files) > MOST_FILES or self._bytes() > MOST_BYTES):
            del self._files[next(iter(self._files))]
        return file

    def find(self, media_id: str) -> MediaFile | None:
        """The file with this id; None where there is none, or its fault is ``gone``."""
        file = self._files.get(media_id)
        return None if file is None or file.has(FaultKind.GONE) else file

    def remove(self, media_id: str) -> bool:
        """Delete a file; returns whether it existed."""
        return self._files.pop(media_id, None) is not None

    def clear(self) -> None:
        """Remove everything."""
        self._files.clear()

    def query(self, file: MediaFile) -> str:
        """The signed query of a file's URL, of which the end of its life is a part."""
        until = int(time.time()) + (-1 if file.fails_now(FaultKind.EXPIRED) else URL_LIVES_S)
        return f"mid={file.id}&ext={until}&hash={self._signature(file.id, str(until))}"

    def opened(self, media_id: str, until: str, signature: str) -> MediaFile | None:
        """The file of a URL whose signature is right and that has not expired."""
        signed = hmac.compare_digest(signature.encode(), self._signature(media_id, until).encode())
        return self.find(media_id) if signed and int(until) >= time.time() else None

    def _signature(self, media_id: str, until: str) -> str:
        return hmac.new(self.secret.encode(), f"{media_id}.{until}".encode(), hashlib.sha256).hexdigest()

    def _bytes(self) -> int:
        return sum(len(file.content) for file in self._files.values())


def media_content(
    library: MediaLibrary,
    kind: str,
    upload: Upload | None = None,
    *,
    caption: str = "",
    fault: Fault | None = None,
    more: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """``{"type": kind, kind: node}`` for an `InboundMessage`: a user sends this file, or a ready-made one.

    The file is kept in the library; `more` goes into the node. Raises InputError.
    """
    upload = upload or sample(kind)
    if kind not in MEDIA_TYPES:
        raise InputError("type", f"must be one of {', '.join(MEDIA_TYPES)}, for a file")
    if upload is None:
        raise InputError("media", f"there is no ready-made {kind}: give a file")
    file = library.add(upload, fault)
    node: dict[str, Any] = {
        "id": file.id,
        "mime_type": file.mime_type,
        "sha256": base64.b64encode(file.digest).decode(),
    }
    if kind == "audio":
        node["voice"] = file.mime_type.startswith("audio/ogg")
    if kind == "sticker":
        node["animated"] = False
    if kind == "document" and file.filename:
        node["filename"] = file.filename
    if caption:
        node["caption"] = caption
    return {"type": kind, kind: {**node, **(more or {})}}


def kind_of(mime_type: str) -> str:
    """The type of message in which a user sends such a file."""
    family = mime_type.partition("/")[0]
    return family if family in {"image", "video", "audio"} else "document"


def fault_of(given: dict[str, Any]) -> Fault | None:
    """From ``{"fault": "slow", "seconds"?: 2, "times"?: 1}``. Raises InputError."""
    if given.get("fault") is None:
        return None
    try:
        kind = FaultKind(given["fault"])
    except ValueError:
        raise InputError("fault", f"must be one of {', '.join(FaultKind)}") from None
    times, seconds = given.get("times", 1), given.get("seconds", DEFAULT_SLOW_S)
    if type(times) is not int or times < 1:
        raise InputError("times", "must be a whole number from 1 on")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= MAX_SLOW_S:
        raise InputError("seconds", f"must be a number from 0 to {MAX_SLOW_S:.0f}")
    return Fault(kind, times, float(seconds))
