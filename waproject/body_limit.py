"""Refuses a body that is too large: before a byte of it is read where its length is announced, else at the limit."""

from collections.abc import Callable
from io import BytesIO
from typing import Any, TypeGuard

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, JsonResponse

CHUNK_BYTES = 64 * 1024


class BodyLimitMiddleware:
    """Answers 413 where a body is over the path's limit: Meta's own for webhooks, `API_MAX_BYTES` elsewhere."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, or refuse it."""
        limit = settings.WEBHOOK_MAX_BYTES if request.path.startswith("/webhook/") else settings.API_MAX_BYTES
        if content_length(request) > limit:
            return _too_large(limit)
        if _is_chunked(request):
            try:
                body = _read(request.environ["wsgi.input"], limit)
            except Exception:  # the server's own error for chunks that are none, or a client that has gone
                return JsonResponse({"detail": "The body's chunks are broken."}, status=400)
            if len(body) > limit:
                return _too_large(limit)
            # Django reads no more than the announced length: it would take such a body for an empty one.
            request.META["CONTENT_LENGTH"] = str(len(body))
            request._stream = BytesIO(body)
        return self.get_response(request)


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


def _read(source: Any, limit: int) -> bytes:
    """The whole body; where it is over the limit, a little more than that."""
    chunks: list[bytes] = []
    length = 0
    while length <= limit and (chunk := source.read(CHUNK_BYTES)):
        chunks.append(chunk)
        length += len(chunk)
    return b"".join(chunks)
