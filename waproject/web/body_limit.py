"""The limit of request bodies: refused by Content-Length before reading, else while reading."""

from collections.abc import Callable, Mapping
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, JsonResponse

CHUNK_BYTES = 64 * 1024
# What is larger, which only a file may be, waits on disk for its view.
IN_MEMORY_BYTES = 8 * 1024 * 1024


class BodyRefused(Exception):
    """A body that nobody will look at: the status for it, and why."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class BodyLimitMiddleware:
    """Answers 413 where a body is over the path's limit: Meta's for webhooks and files, or `API_MAX_BYTES`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, or refuse it."""
        limit = limit_of(request.path)
        try:
            _check_length(request.META, limit)
            if isinstance(request, WSGIRequest) and _is_chunked(request.META):
                body, length = _read_chunks(request.META, limit)
                # Django reads no more than the announced length: it would take such a body for an empty one.
                request.META["CONTENT_LENGTH"] = str(length)
                request._stream = body
        except BodyRefused as refused:
            return JsonResponse({"detail": refused.detail}, status=refused.status)
        return self.get_response(request)


def read_body(environ: Mapping[str, Any], limit: int) -> bytes:
    """The whole body of a WSGI request, without Django's. Raises BodyRefused."""
    _check_length(environ, limit)
    if _is_chunked(environ):
        return _read_chunks(environ, limit)[0].read()
    try:
        return bytes(environ["wsgi.input"].read(max(0, content_length(environ))))
    except Exception:  # the server's own error for a client that has gone
        raise BodyRefused(400, "The body ended too early.") from None


def limit_of(path: str) -> int:
    """In bytes."""
    if path.startswith("/webhook/"):
        return settings.WEBHOOK_MAX_BYTES
    return settings.UPLOAD_MAX_BYTES if path == "/messaging/media" else settings.API_MAX_BYTES


def content_length(environ: Mapping[str, Any]) -> int:
    """The announced length in bytes; 0 where it is missing or no number."""
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
    """Whether the body comes in chunks, without a length, and the server tells where it ends."""
    coding = environ.get("HTTP_TRANSFER_ENCODING", "").strip().lower()
    return coding == "chunked" and bool(environ.get("wsgi.input_terminated"))


def _read_chunks(environ: Mapping[str, Any], limit: int) -> tuple[BinaryIO, int]:
    """The whole body, at its beginning, and its length."""
    source = environ["wsgi.input"]
    body = SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 - the request reads it, and outlives this call
    try:
        while body.tell() <= limit and (chunk := source.read(CHUNK_BYTES)):
            body.write(chunk)
    except Exception:  # the server's own error for chunks that are none, or a client that has gone
        raise BodyRefused(400, "The body's chunks are broken.") from None
    if (length := body.tell()) > limit:
        raise _too_large(limit)
    body.seek(0)
    return cast("BinaryIO", body), length
