"""The files that WhatsApp takes: the sandbox's own copy of Meta's table of types and sizes.

https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
"""

from __future__ import annotations

_MIB = 1024 * 1024
_KIB = 1024
# Messages of users that carry a file; `voice` is an old name for audio that was recorded on the phone.
MEDIA_TYPES = ("image", "video", "audio", "voice", "document", "sticker")
_OFFICE = "application/vnd.openxmlformats-officedocument"
_CARRIED: dict[str, tuple[str, ...]] = {
    "audio": ("audio/aac", "audio/mp4", "audio/mpeg", "audio/amr", "audio/ogg"),
    "document": (
        *("application/vnd.ms-powerpoint", "application/msword", f"{_OFFICE}.wordprocessingml.document"),
        *(f"{_OFFICE}.presentationml.presentation", f"{_OFFICE}.spreadsheetml.sheet", "application/pdf"),
        *("text/plain", "application/vnd.ms-excel"),
    ),
    "image": ("image/jpeg", "image/png"),
    "sticker": ("image/webp",),
    "video": ("video/mp4", "video/3gpp"),
}
# Meta takes this upload, and no message can carry it.
_BARE_OPUS = "audio/opus"
UPLOAD_TYPES = (
    *_CARRIED["audio"],
    _BARE_OPUS,
    *_CARRIED["document"],
    *_CARRIED["image"],
    *_CARRIED["sticker"],
    *_CARRIED["video"],
)
_MOST_BYTES = {"audio": 16 * _MIB, "document": 100 * _MIB, "image": 5 * _MIB, "sticker": 500 * _KIB, "video": 16 * _MIB}
_MOST_STICKER_BYTES = 100 * _KIB
# The chunk that an animated WebP begins with, in its first bytes.
_ANIMATED, _WEBP_HEAD_BYTES = b"ANIM", 64


def bare_type(mime_type: str) -> str:
    """The type without its parameters: ``audio/ogg`` of ``audio/ogg; codecs=opus``."""
    return mime_type.partition(";")[0].strip().lower()


def is_upload_type(mime_type: str) -> bool:
    """Whether Meta takes an upload of this type; Ogg must say that its codec is Opus."""
    bare, *parameters = (part.strip().lower() for part in mime_type.split(";"))
    return bare in UPLOAD_TYPES and (bare != "audio/ogg" or not {"codecs=opus", 'codecs="opus"'}.isdisjoint(parameters))


def most_bytes(mime_type: str) -> int:
    """The largest upload of a type that is among UPLOAD_TYPES."""
    bare = bare_type(mime_type)
    kind = next((kind for kind, types in _CARRIED.items() if bare in types), "audio")
    return _MOST_BYTES[kind]


def can_carry(message_type: str, mime_type: str, content: bytes) -> bool:
    """Whether a message of this type can carry such a file. Documents carry every type that Meta takes."""
    bare = bare_type(mime_type)
    if message_type == "document":
        return bare in UPLOAD_TYPES
    if bare not in _CARRIED[message_type] or len(content) > _MOST_BYTES[message_type]:
        return False
    still = message_type == "sticker" and _ANIMATED not in content[:_WEBP_HEAD_BYTES]
    return not still or len(content) <= _MOST_STICKER_BYTES
