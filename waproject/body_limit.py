"""Refuses a body that is too large: before a byte of it is read where its length is announced, else at the limit."""

from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, TypeGuard, cast

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, JsonResponse

CHUNK_BYTES = 64 * 1024
# What is larger, which only a file may be, waits on disk for its view.
IN_MEMORY_BYTES = 8 * 1024 * 1024


class BodyLimitMiddleware:
    """Answers 413 where a body is over the path's limit: Meta's for webhooks and files, or `API_MAX_BYTES`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, or refuse it."""
        limit = limit_of(request.path)
        if content_length(request) > limit:
            return _too_large(limit)
        if _is_chunked(request):
            try:
                body = _read(request.environ["wsgi.input"], limit)
            except Exception:  # the server's own error for chunks that are none, or a client that has gone
                return JsonResponse({"detail": "The body's chunks are broken."}, status=400)
            if body.tell() > limit:
                return _too_large(limit)
            # Django reads no more than the announced length: it would take such a body for an empty one.
            request.META["CONTENT_LENGTH"] = str(body.tell())
            body.seek(0)
            request._stream = body
        return self.get_response(request)


def limit_of(path: str) -> int:
    """In bytes."""
    if path.startswith("/webhook/"):
        return settings.WEBHOOK_MAX_BYTES
    return settings.UPLOAD_MAX_BYTES if path == "/messaging/media" else settings.API_MAX_BYTES


def content_length(request: HttpRequest) -> int:
    """The announced length in bytes; 0 where it is missing or no number."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _too_large(limit: int) -> HttpResponse:
    return JsonResponse({"detail": f"The body is over the limit of {limit} bytes."}, status=413)


def _is_chunked(request: HttpRequest) -> TypeGuard[WSGIRequest]:
    """Whether the body comes in chunks, without a length, and the server tells where it ends."""
    coding = request.META.get("HTTP_TRANSFER_ENCODING", "").strip().lower()
    return (
        coding == "chunked" and isinstance(request, WSGIRequest) and bool(request.environ.get("wsgi.input_terminated"))
    )


def _read(source: Any, limit: int) -> BinaryIO:
    """The whole body, at its end; where it is over the limit, a little more than that."""
    body = SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 - the request reads it, and outlives this call
    while body.tell() <= limit and (chunk := source.read(CHUNK_BYTES)):
        body.write(chunk)
    return cast("BinaryIO", body)
