"""API errors: 503 with Retry-After while PostgreSQL is down or too slow, 400 for a form that is too long."""

from typing import Any

from django.core.exceptions import TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from rest_framework.exceptions import ErrorDetail, NotAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler

from waproject.web.statement_timeout import ADVICE, timed_out

RETRY_AFTER_S = 5
SEND_A_KEY = "Send your API key: `Authorization: Bearer wak_…`."


def unavailable(detail: str, retry_after_s: int = RETRY_AFTER_S) -> Response:
    """A 503 that asks the client to repeat the request after this many seconds."""
    return Response({"detail": detail}, status=503, headers={"Retry-After": str(retry_after_s)})


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. It answers 503 if the database is away or too slow: nothing was stored, so retry."""
    if isinstance(error, OperationalError | InterfaceError):
        # The browsable API would query the database for the logged-in user.
        context["request"].accepted_renderer = JSONRenderer()
        context["request"].accepted_media_type = JSONRenderer.media_type
        if timed_out(error):
            return unavailable(ADVICE)
        return unavailable(f"The database is not available; try again in {RETRY_AFTER_S} seconds.")
    if isinstance(error, TooManyFieldsSent | TooManyFilesSent):
        # Django would log each with a traceback, as an attack.
        return Response({"detail": "The form has too many fields or files."}, status=400)
    if isinstance(error, NotAuthenticated):
        error.detail = ErrorDetail(SEND_A_KEY, error.default_code)
    return exception_handler(error, context)
