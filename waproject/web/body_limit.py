"""The size limit of request bodies, enforced by Content-Length before reading, else while reading."""

from collections.abc import Callable, Mapping
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, JsonResponse

CHUNK_BYTES = 64 * 1024
# Larger bodies, which only uploads may have, are buffered on disk.
IN_MEMORY_BYTES = 8 * 1024 * 1024


class BodyRefused(Exception):
    """A refused body: the status and detail of the answer."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class BodyLimitMiddleware:
    """Answers 413 if a body exceeds the path's limit: Meta's for webhooks and files, else `API_MAX_BYTES`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, or refuse it."""
        limit = limit_of(request.path)
        try:
            _check_length(request.META, limit)
            if isinstance(request, WSGIRequest) and _is_chunked(request.META):
                body, length = _read_chunks(request.META, limit)
                # Django reads CONTENT_LENGTH bytes: it would take a chunked body for an empty one.
                request.META["CONTENT_LENGTH"] = str(length)
                request._stream = body
        except BodyRefused as refused:
            return JsonResponse({"detail": refused.detail}, status=refused.status)
        return self.get_response(request)


def read_body(environ: Mapping[str, Any], limit: int) -> bytes:
    """The whole body of a WSGI request, read without Django. Raises BodyRefused."""
    _check_length(environ, limit)
    if _is_chunked(environ):
        return _read_chunks(environ, limit)[0].read()
    try:
        return bytes(environ["wsgi.input"].read(max(0, content_length(environ))))
    except Exception:  # the server's own exception if the client disconnected
        raise BodyRefused(400, "The body is incomplete.") from None


def limit_of(path: str) -> int:
    """In bytes."""
    if path.startswith("/webhook/"):
        return settings.WEBHOOK_MAX_BYTES
    return settings.UPLOAD_MAX_BYTES if path == "/messaging/media" else settings.API_MAX_BYTES


def content_length(environ: Mapping[str, Any]) -> int:
    """The Content-Length in bytes; 0 if it is missing or invalid."""
    try:
        return int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _check_length(environ: Mapping[str, Any], limit: int) -> None:
    if content_length(environ) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> BodyRefused:
    return BodyRefused(413, f"The body is over the limit of {limit} bytes.")


def _is_chunked(environ: Mapping[str, Any]) -> bool:
    """Whether the body is chunked and the server marks its end."""
    coding = environ.get("HTTP_TRANSFER_ENCODING", "").strip().lower()
    return coding == "chunked" and bool(environ.get("wsgi.input_terminated"))


def _read_chunks(environ: Mapping[str, Any], limit: int) -> tuple[BinaryIO, int]:
    """(body file at its start, length)."""
    source = environ["wsgi.input"]
    body = SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 - the request reads it, and outlives this call
    try:
        while body.tell() <= limit and (chunk := source.read(CHUNK_BYTES)):
            body.write(chunk)
    except Exception:  # the server's own exceptions for invalid chunks or a disconnected client
        raise BodyRefused(400, "The body's chunks are invalid.") from None
    if (length := body.tell()) > limit:
        raise _too_large(limit)
    body.seek(0)
    return cast("BinaryIO", body), length
