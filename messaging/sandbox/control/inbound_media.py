"""Files in POST /_sandbox/inbound: as JSON, as an uploaded form, or ready-made."""

from __future__ import annotations

import base64
import binascii
import mimetypes
from typing import Any

from tornado.httputil import HTTPServerRequest

from ..media.file_types import MEDIA_TYPES
from ..media.library import MediaLibrary, fault_of, kind_of, media_content
from ..media.samples import Upload
from ..settings import InputError

_FAULT_FIELDS = {"fault": str, "times": int, "seconds": float}


def form_fields(request: HTTPServerRequest) -> dict[str, Any] | None:
    """What an uploaded form says, in the shape of the JSON; None where the request is none. Raises InputError.

    ``curl -F from=15551230001 -F file=@photo.jpg -F caption=Look``; `type` follows from the file where it is left out.
    """
    if not request.headers.get("Content-Type", "").startswith("multipart/form-data"):
        return None
    given: dict[str, Any] = {
        name: values[-1].decode(errors="replace") for name, values in request.body_arguments.items()
    }
    media = {}
    for name, kind in _FAULT_FIELDS.items():
        if name in given:
            try:
                media[name] = kind(given.pop(name))
            except ValueError:
                raise InputError(name, "must be a number") from None
    files = request.files.get("file")
    if files:
        guessed = mimetypes.guess_type(files[0].filename)[0]
        mime_type = files[0].content_type
        if mime_type in {"", "application/octet-stream", "application/unknown"} and guessed:
            mime_type = guessed
        media["upload"] = Upload(files[0].body, mime_type or "application/octet-stream", files[0].filename)
        given.setdefault("type", kind_of(media["upload"].mime_type))
    if "type" not in given and "text" not in given:
        raise InputError("file", "give a file, a text, or a type")
    return {**given, "media": media} if given.get("type") in MEDIA_TYPES else given


def with_file(library: MediaLibrary, phone_number_id: str, given: dict[str, Any]) -> dict[str, Any]:
    """The same with a node that names a file of ours, where a message of a file's type names none. Raises InputError.

    ``{"type": "image", "caption"?, "media"?: {"data"?: base64, "mime_type"?, "filename"?, "fault"?, "times"?,
    "seconds"?}}``; without `data` the file is a ready-made one.
    """
    kind = given.get("type")
    if kind not in MEDIA_TYPES:
        return given
    node, media = given.get(kind, {}), given.get("media", {})
    if not isinstance(node, dict) or node.get("id"):
        return given
    if not isinstance(media, dict):
        raise InputError("media", "must be an object")
    caption = given.get("caption", "")
    if not isinstance(caption, str):
        raise InputError("caption", "must be a string")
    upload = media.get("upload") or _upload(kind, media)
    content = media_content(library, kind, phone_number_id, upload, caption=caption, fault=fault_of(media), more=node)
    return {**given, **content}


def _upload(kind: str, media: dict[str, Any]) -> Upload | None:
    if media.get("data") is None:
        return None
    try:
        content = base64.b64decode(media["data"], validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise InputError("media", "data must be a file in base64") from None
    filename, mime_type = media.get("filename", ""), media.get("mime_type")
    if not isinstance(filename, str) or not isinstance(mime_type or "", str):
        raise InputError("media", "filename and mime_type must be strings")
    return Upload(content, mime_type or mimetypes.guess_type(filename)[0] or _USUAL[kind], filename)


_USUAL = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "audio": "audio/ogg; codecs=opus",
    "voice": "audio/ogg; codecs=opus",
    "document": "application/octet-stream",
    "sticker": "image/webp",
}
