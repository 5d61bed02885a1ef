"""API errors: 503 with Retry-After while PostgreSQL is down or too slow, 400 for a form that is too long."""

from typing import Any

from django.core.exceptions import TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from rest_framework.exceptions import ErrorDetail, NotAuthenticated
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler

from waproject.web.statement_timeout import ADVICE, timed_out

RETRY_AFTER_S = 5
AWAY = f"The database is not available; try again in {RETRY_AFTER_S} seconds."
AWAY_AT_A_CHANGE = (
    "The database is not available, and it is not known whether the request was stored; repeat it in"
    f" {RETRY_AFTER_S} seconds, a send with the same Idempotency-Key."
)
SEND_A_KEY = "Send your API key: `Authorization: Bearer wak_…`."


def unavailable(detail: str, retry_after_s: int = RETRY_AFTER_S) -> Response:
    """A 503 that asks the client to repeat the request after this many seconds."""
    return Response({"detail": detail}, status=503, headers={"Retry-After": str(retry_after_s)})


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. It answers 503 if the database is away or too slow.

    A connection that is lost at a commit leaves open whether the change was stored.
    """
    if isinstance(error, OperationalError | InterfaceError):
        # The browsable API would query the database for the logged-in user.
        context["request"].accepted_renderer = JSONRenderer()
        context["request"].accepted_media_type = JSONRenderer.media_type
        if timed_out(error):
            return unavailable(ADVICE)
        return unavailable(AWAY if context["request"].method in SAFE_METHODS else AWAY_AT_A_CHANGE)
    if isinstance(error, TooManyFieldsSent | TooManyFilesSent):
        # Django would log each with a traceback, as an attack.
        return Response({"detail": "The form has too many fields or files."}, status=400)
    if isinstance(error, NotAuthenticated):
        error.detail = ErrorDetail(SEND_A_KEY, error.default_code)
    return exception_handler(error, context)
