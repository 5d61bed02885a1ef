"""Requests as a web server hands them over, past the test client, which would begin inside Django."""

from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import RequestFactory

from messaging.incoming.wsgi_fast_path import WebhookFastPath
from waproject.web.rejected_webhooks import PATH

_application = WebhookFastPath(WSGIHandler())


def ask(environ: dict[str, Any]) -> HttpResponse:
    """What the web process answers."""
    begun: list[Any] = []
    content = b"".join(_application(environ, lambda *arguments: begun.extend(arguments)))  # type: ignore[arg-type]
    return HttpResponse(content, status=int(begun[0][:3]), headers=dict(begun[1]))


def webhook_environ(body: bytes, **headers: str) -> dict[str, Any]:
    """A POST to the webhook's address."""
    return RequestFactory().post(PATH, body, content_type="application/json", headers=headers).META
