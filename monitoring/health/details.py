"""Access to the details of health, decided within a deadline."""

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
# Each decision uses a database connection; while all are busy, further callers get no details.
MAX_CONCURRENT = 4
_slots = threading.BoundedSemaphore(MAX_CONCURRENT)


def may_see_details(request: HttpRequest, *, database_answers: bool) -> bool:
    """True for the metrics token, which needs no database, for an API key, and for staff with a session."""
    if has_metrics_token(request.headers.get("Authorization", "")):
        return True
    has_credentials = "Authorization" in request.headers or settings.SESSION_COOKIE_NAME in request.COOKIES
    if not has_credentials or not database_answers or not _slots.acquire(blocking=False):
        return False
    decision: queue.SimpleQueue[bool] = queue.SimpleQueue()
    # In a thread of its own: if the database hangs now, it blocks that thread and not the request.
    try:
        threading.Thread(target=_decide, args=(request, decision), name="health-details", daemon=True).start()
    except RuntimeError:  # the host has no thread left
        _slots.release()
        return False
    try:
        return decision.get(timeout=DEADLINE_S)
    except queue.Empty:
        return False


def _decide(request: HttpRequest, decision: "queue.SimpleQueue[bool]") -> None:
    try:
        decision.put(_is_client_or_staff(request))
    except (DatabaseError, InterfaceError) as error:
        logger.warning("health: the caller could not be authenticated: %s", type(error).__name__)
    finally:
        connection.close()
        _slots.release()


def _is_client_or_staff(request: HttpRequest) -> bool:
    # The health middleware runs before these two.
    SessionMiddleware(_empty_response).process_request(request)
    AuthenticationMiddleware(_empty_response).process_request(request)
    api_request = Request(request, authenticators=[ApiKeyAuthentication(), SessionAuthentication()])
    try:
        return IsApiClientOrAnyStaff().has_permission(api_request, APIView())
    except APIException:
        return False


def _empty_response(request: HttpRequest) -> HttpResponse:
    return HttpResponse()
