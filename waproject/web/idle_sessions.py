"""The end of sessions: the idle time-out, which polling does not extend, and what an open page then gets."""

import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.sessions.backends.db import SessionStore
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

SEEN = "seen_at"
# The session is saved at most once in this many seconds.
UPDATE_EVERY_S = 60


class IdleSessionMiddleware:
    """Ends a session after `SESSION_IDLE_S` seconds without user activity."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Log the user out if the session was idle for too long, and answer the request."""
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            # If the database is unavailable, the view answers 503.
            with suppress(OperationalError, InterfaceError):
                _check(request)
        answer = self.get_response(request)
        if request.headers.get("HX-Request") and _asks_to_log_in(answer):
            # htmx would follow to the log-in page and show it as a part of the open one.
            return HttpResponse(status=HTTPStatus.FORBIDDEN, headers={"HX-Refresh": "true"})
        return answer


def delete_expired() -> None:
    """Delete the sessions of closed browsers, which Django keeps forever."""
    SessionStore.clear_expired()


def _asks_to_log_in(answer: HttpResponse) -> bool:
    return answer.get("Location", "").partition("?")[0] == reverse("admin:login")


def _check(request: HttpRequest) -> None:
    if not request.user.is_authenticated:
        return
    now, seen = time.time(), request.session.get(SEEN)
    if isinstance(seen, int | float) and now - seen > settings.SESSION_IDLE_S:
        logout(request)
    elif seen is None or (now - seen > UPDATE_EVERY_S and _is_user_activity(request)):
        request.session[SEEN] = now


def _is_user_activity(request: HttpRequest) -> bool:
    """Whether a person made the request: it loads a page or sends a form, unlike polling by htmx or for JSON."""
    is_page = "text/html" in request.headers.get("Accept", "") and not request.headers.get("HX-Request")
    return is_page or request.method not in {"GET", "HEAD"}
