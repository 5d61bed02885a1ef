"""Access to the details of health answers, decided within a deadline."""

import logging
import queue
import threading

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.views import APIView

from messaging.access import ApiKeyAuthentication, IsApiClientOrAnyStaff
from monitoring.access import has_metrics_token

logger = logging.getLogger(__name__)

DEADLINE_S = 0.5
# Each has a database connection while it asks; who comes when all are busy sees the one word.
AT_ONCE = 4
_free = threading.BoundedSemaphore(AT_ONCE)


def may_see_details(request: HttpRequest, *, database_answers: bool) -> bool:
    """The metrics' token, which needs no database; an API key, or staff who are logged in."""
    if has_metrics_token(request.headers.get("Authorization", "")):
        return True
    shows_something = "Authorization" in request.headers or settings.SESSION_COOKIE_NAME in request.COOKIES
    if not shows_something or not database_answers or not _free.acquire(blocking=False):
        return False
    answers: queue.SimpleQueue[bool] = queue.SimpleQueue()
    # A thread of its own: a database that goes silent just now holds it, and not the request.
    threading.Thread(target=_find_out, args=(request, answers), name="health-details", daemon=True).start()
    try:
        return answers.get(timeout=DEADLINE_S)
    except queue.Empty:
        return False


def _find_out(request: HttpRequest, answers: "queue.SimpleQueue[bool]") -> None:
    try:
        answers.put(_is_client_or_staff(request))
    except (DatabaseError, InterfaceError) as error:
        logger.warning("health: nobody can tell who asks: %s", type(error).__name__)
    finally:
        connection.close()
        _free.release()


def _is_client_or_staff(request: HttpRequest) -> bool:
    # Health is answered before the middleware that would have done this.
    SessionMiddleware(_nothing).process_request(request)
    AuthenticationMiddleware(_nothing).process_request(request)
    asked = Request(request, authenticators=[ApiKeyAuthentication(), SessionAuthentication()])
    try:
        return IsApiClientOrAnyStaff().has_permission(asked, APIView())
    except APIException:
        return False


def _nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse()
