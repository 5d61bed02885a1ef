"""An idle limit for sessions: whoever leaves an open page alone is logged out, although the page polls."""

import time
from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.contrib.auth import logout
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

SEEN = "seen_at"
# The session's row is written at most once in so many seconds.
NOTED_EVERY_S = 60


class IdleSessionMiddleware:
    """Ends a session after `SESSION_IDLE_S` seconds without a request that a person made."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, as an anonymous one where the session has been idle for too long."""
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            # Without a database the view says so.
            with suppress(OperationalError, InterfaceError):
                _check(request)
        return self.get_response(request)


def _check(request: HttpRequest) -> None:
    if not request.user.is_authenticated:
        return
    now, seen = time.time(), request.session.get(SEEN)
    if isinstance(seen, int | float) and now - seen > settings.SESSION_IDLE_S:
        logout(request)
    elif seen is None or (now - seen > NOTED_EVERY_S and _is_a_persons(request)):
        request.session[SEEN] = now


def _is_a_persons(request: HttpRequest) -> bool:
    """Pages poll by htmx and ask for JSON; people load pages and send forms."""
    is_page = "text/html" in request.headers.get("Accept", "") and not request.headers.get("HX-Request")
    return is_page or request.method not in {"GET", "HEAD"}
