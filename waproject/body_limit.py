"""Refuses a body that is too large before a byte of it is read."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse


class BodyLimitMiddleware:
    """413 where Content-Length is over the path's limit: Meta's for webhooks and files, or `API_MAX_BYTES`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, or refuse it."""
        limit = limit_of(request.path)
        if content_length(request) > limit:
            return JsonResponse({"detail": f"The body is over the limit of {limit} bytes."}, status=413)
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
