"""Files of messages: their description in a message, types and sizes that WhatsApp allows, and checksums.

https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from messaging.whatsapp.inbound import fields
from messaging.whatsapp.inbound.message_types import MEDIA_TYPES

# Meta's ids are digits today; a node with a longer id is stored unchanged.
MAX_ID = 4096
_MIB = 1024 * 1024
# Bytes; Meta's own limits, of animated stickers for all of them.
LIMITS: Mapping[str, int] = {
    "image": 5 * _MIB,
    "video": 16 * _MIB,
    "audio": 16 * _MIB,
    "voice": 16 * _MIB,
    "document": 100 * _MIB,
    "sticker": 500 * 1024,
}
# How long Meta keeps the files of webhooks, and uploaded files.
KEPT_FOR_DAYS, UPLOAD_KEPT_FOR_DAYS = 7, 30
# The MIME types that each type of message can carry.
UPLOADS: Mapping[str, frozenset[str]] = {
    "image": frozenset({"image/jpeg", "image/png"}),
    "sticker": frozenset({"image/webp"}),
    "video": frozenset({"video/mp4", "video/3gpp"}),
    "audio": frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}),
    "document": frozenset(
        {
            "application/msword",
            "application/pdf",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "text/plain",
        }
    ),
}
# Other names of these types, as browsers and cameras use them.
_ALIASES: Mapping[str, str] = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "audio/mp3": "audio/mpeg"}
# WhatsApp plays no other codec in this container, and Meta does not take the type without it.
_OGG, _OPUS = "audio/ogg", re.compile(r";\s*codecs=\"?opus\"?\s*(;|$)", re.IGNORECASE)
_MIME = re.compile(r"[A-Za-z0-9][\w.+-]*/[A-Za-z0-9][\w.+-]*(\s*;\s*[\w.+-]+=(\"[^\"\\\r\n]*\"|[\w.+-]+))*", re.ASCII)
_HEX_DIGITS = 64
_SHA256_BYTES = 32


@dataclass(frozen=True, slots=True)
class File:
    """The description of a file in a message. `sha256` is as given, base64 or hex; empty if missing."""

    id: str
    kind: str
    mime_type: str
    sha256: str
    filename: str


def file_of(message_type: str, content: Mapping[str, Any]) -> File | None:
    """The file in a message's stored `content`; of an edit, the new file."""
    if message_type == "edit":
        message_type, content = content.get("type") or "", fields.node(content, "content")
    media_id = fields.text(content, "id", longest=MAX_ID)
    if message_type not in MEDIA_TYPES or media_id is None:
        return None
    mime_type, sha256, filename = (_text(content, name) for name in ("mime_type", "sha256", "filename"))
    return File(media_id, message_type, mime_type, sha256, filename)


class NotSendable(Exception):
    """No message can carry such a file; the text gives the client the reason."""


def sendable_type(mime_type: str) -> str:
    """Meta's name of a MIME type: `image/jpg` becomes `image/jpeg`."""
    plain, separator, parameters = mime_type.partition(";")
    known = _ALIASES.get(plain.strip().lower())
    return f"{known}{separator}{parameters}" if known else mime_type


def check_upload(mime_type: str, size: int) -> str:
    """The kind of message that can carry such a file. Raises NotSendable."""
    if not is_mime_type(mime_type):
        raise NotSendable("This is no MIME type, such as image/jpeg.")
    plain = sendable_type(mime_type).partition(";")[0].strip().lower()
    kind = next((kind for kind, types in UPLOADS.items() if plain in types), None)
    if kind is None:
        family = plain.partition("/")[0]
        known = sorted(each for types in UPLOADS.values() for each in types if each.partition("/")[0] == family)
        known = known or sorted(each for types in UPLOADS.values() for each in types)
        raise NotSendable(f"WhatsApp does not take {plain}; it takes {', '.join(known)}.")
    if plain == _OGG and not _OPUS.search(mime_type):
        raise NotSendable(f"WhatsApp takes {_OGG} with the codec Opus only: give {_OGG}; codecs=opus.")
    if not size:
        raise NotSendable("The file is empty.")
    if size > LIMITS[kind]:
        raise NotSendable(f"It has {size:,} bytes; WhatsApp takes {LIMITS[kind]:,} of this kind ({kind}).")
    return kind


def is_mime_type(text: str) -> bool:
    """Whether the text is a valid Content-Type."""
    return len(text) <= 128 and _MIME.fullmatch(text) is not None  # noqa: PLR2004 - as the fields of webhooks


def is_same_digest(claimed: str, digest: bytes) -> bool:
    """Whether Meta's checksum (base64 in webhooks, hex elsewhere) is this SHA-256. True if Meta gave none."""
    return not claimed or _digest(claimed) == digest


def _digest(claimed: str) -> bytes | None:
    try:
        if len(claimed) == _HEX_DIGITS:
            return bytes.fromhex(claimed)
        # Meta is not consistent about the alphabet and the padding.
        plain = claimed.replace("-", "+").replace("_", "/").rstrip("=")
        found = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error):
        return None
    return found if len(found) == _SHA256_BYTES else None


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name)
    return value if isinstance(value, str) and len(value) <= 256 else ""  # noqa: PLR2004 - a file name's usual limit
