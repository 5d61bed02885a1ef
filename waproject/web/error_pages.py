"""Error responses (400, 403, 404, 500): a styled page for browsers, JSON for API clients."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from structlog.contextvars import get_contextvars

# Paths of pages; on other paths a client gets a page only if it accepts HTML.
PAGES = ("/admin/", "/monitoring/dashboard")
TITLES = {
    HTTPStatus.BAD_REQUEST: ("This request cannot be answered", "Something in the address or the form is not valid."),
    HTTPStatus.FORBIDDEN: ("You may not see this", "Your account lacks the permission. An administrator can add it."),
    HTTPStatus.NOT_FOUND: ("There is nothing here", "The address is wrong, or what it showed no longer exists."),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        "Something failed", "Try again. If it lasts, look for the request id below in the log."
    ),
}  # fmt: skip
EXPIRED_TEXT = "Nothing was saved. Go back and load the page again; if that does not help, allow cookies."


def bad_request(request: HttpRequest, exception: Exception | None = None, detail: str = "") -> HttpResponse:
    """400."""
    return _answer(request, HTTPStatus.BAD_REQUEST, detail)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return _answer(request, HTTPStatus.FORBIDDEN)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form with an expired or foreign CSRF token."""
    return _answer(request, HTTPStatus.FORBIDDEN, EXPIRED_TEXT, "The form has expired")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404."""
    if request.path.endswith("/") and not request.path.startswith(PAGES):
        return _answer(request, HTTPStatus.NOT_FOUND, "There is nothing here: the API's paths have no trailing slash.")
    return _answer(request, HTTPStatus.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """500. Uses neither the database nor the session, since they may have failed."""
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR)


def _answer(request: HttpRequest, status: HTTPStatus, detail: str = "", title: str = "") -> HttpResponse:
    usual_title, usual_text = TITLES[status]
    text = detail or usual_text
    if not _wants_page(request):
        said = text if detail and not title else f"{title or usual_title}. {text}"
        return JsonResponse({"detail": said}, status=status)
    context = {"title": title or usual_title, "text": text, "status": int(status), "request_id": _request_id()}
    # Without the request: its context processors would use the session and the database.
    return HttpResponse(render_to_string("waproject/error.html", context), status=status)


def _wants_page(request: HttpRequest) -> bool:
    return request.path.startswith(PAGES) or "text/html" in request.headers.get("Accept", "")


def _request_id() -> str:
    return str(get_contextvars().get("request_id", ""))
