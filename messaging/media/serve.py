"""Media responses: streamed, with byte ranges, and with headers that keep a file from running as a page.

Users' files are untrusted: all but pictures, audio and video are downloads, browsers must not guess another type, and a
file that is opened anyway runs no script (CSP sandbox).
"""

import logging
import mimetypes
import re
from collections.abc import Iterator
from typing import IO

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

from messaging.media.records import storage
from messaging.models import Media
from messaging.whatsapp.media import is_mime_type

logger = logging.getLogger(__name__)

CHUNK = 64 * 1024
# Shown inline by browsers. No SVG: it may contain scripts.
INLINE_TYPES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
INLINE_FAMILIES = ("audio/", "video/")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    # Revalidated each time, since a permission may be revoked; the ETag makes that cheap.
    "Cache-Control": "private, no-cache",
    "Accept-Ranges": "bytes",
}
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)


class FileMissing(Exception):
    """The storage no longer has the file of a record."""


class StorageUnavailable(Exception):
    """The storage does not give a file that it may well have."""

    def __str__(self) -> str:
        return "The storage of files is not available; try again in a few seconds."


def serve(request: HttpRequest, media: Media) -> HttpResponseBase:
    """200, 206, 304 or 416 for a stored file. Raises FileMissing and StorageUnavailable."""
    tag = f'"{media.digest}"'
    if request.headers.get("If-None-Match", "") in {tag, f"W/{tag}"}:
        return _with_headers(HttpResponse(status=304), media)
    size = media.size or 0
    range_header = request.headers.get("Range", "")
    if request.headers.get("If-Range", tag) != tag:
        range_header = ""
    part = parse_range(range_header, size)
    if part is None:
        return _with_headers(HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"}), media)
    start, end = part
    whole = (start, end) == (0, size)
    pieces = () if request.method == "HEAD" else _chunks(_opened(media, start), end - start)
    response = StreamingHttpResponse(pieces, status=200 if whole else 206)
    response["Content-Length"] = str(end - start)
    if not whole:
        response["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return _with_headers(response, media)


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """The byte range as start and end (exclusive): all bytes for no, several or invalid ranges. None: out of bounds."""
    found = _RANGE.fullmatch(header.strip())
    if not found or found[0] == "bytes=-":
        return 0, size
    first, last = found[1], found[2]
    if not first:
        return (max(0, size - int(last)), size) if int(last) and size else None
    if last and int(last) < int(first):
        return 0, size
    end = min(int(last) + 1, size) if last else size
    return (int(first), end) if int(first) < size else None


def is_inline(mime_type: str) -> bool:
    """Whether browsers may show the type inline."""
    plain = mime_type.partition(";")[0].strip().lower()
    return plain in INLINE_TYPES or plain.startswith(INLINE_FAMILIES)


def filename_of(media: Media) -> str:
    """The sender's file name without its path, or a generated one."""
    if name := _without_path(media.filename):
        return name
    plain = media.mime_type.partition(";")[0].strip()
    # Python's table has no audio/ogg.
    extension = ".ogg" if plain == "audio/ogg" else mimetypes.guess_extension(plain) or ""
    return f"{media.kind}-{media.pk}{extension}"


def _without_path(filename: str) -> str:
    """The last part of a path of any operating system; empty if it has none."""
    name = re.split(r"[/\\]", filename)[-1].strip()
    return name if name.strip(".") else ""


def _with_headers(response: HttpResponseBase, media: Media) -> HttpResponseBase:
    mime_type = media.mime_type if is_mime_type(media.mime_type) else "application/octet-stream"
    response["Content-Type"] = mime_type
    disposition = content_disposition_header(not is_inline(mime_type), filename_of(media))
    response["Content-Disposition"] = disposition or "attachment"
    response["ETag"] = f'"{media.digest}"'
    for name, value in _HEADERS.items():
        response[name] = value
    return response


def _opened(media: Media, start: int) -> IO[bytes]:
    """The file at this byte. A bucket's file is transferred by the first access, which must not fail in the answer."""
    try:
        file = storage().open(media.name, "rb")
        try:
            file.seek(start)
        except BaseException:
            file.close()
            raise
    except FileNotFoundError:
        raise FileMissing from None
    except Exception as error:  # storage back ends raise errors of any type
        if _is_missing(media):
            raise FileMissing from None
        logger.error("the file of message %s cannot be read: %s", media.pk, type(error).__name__)
        raise StorageUnavailable from None
    return file


def _is_missing(media: Media) -> bool:
    try:
        storage().open(media.name, "rb").close()
    except FileNotFoundError:
        return True
    except Exception:
        return False
    return False


def _chunks(file: IO[bytes], size: int) -> Iterator[bytes]:
    with file:
        left = size
        while left > 0 and (piece := file.read(min(CHUNK, left))):
            left -= len(piece)
            yield piece
