"""One log line per request, with an id that its tasks carry on."""

import logging
import re
import time
from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

from waproject.logs.context import TouchedMessages, is_request_id, log_context
from waproject.logs.masking import MASK

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
# Frequent requests; an accepted webhook's task logs a line with the same id.
QUIET = ("/webhook/", "/static/")
PATH_LENGTH = 200
# Of a path that does not exist: `/messaging/campaigns`.
KNOWN_SEGMENTS = 2
_OUR_ID = re.compile(r"\d+|[0-9a-f-]{36}")
OK, REDIRECT, SERVER_ERROR = 200, 400, 500


class RequestLogMiddleware:
    """Logs each request without its query string, and returns the proxy's or a new X-Request-ID."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request and log it."""
        began, request_id = time.perf_counter(), id_for(request.headers.get(HEADER))
        with log_context(request_id=request_id) as touched:
            response = self.get_response(request)
            response.headers[HEADER] = request_id
            log_request(request.method or "", _path(request), response.status_code, began, touched)
        return response


def _path(request: HttpRequest) -> str:
    """The path with client-chosen names, such as a campaign's, masked; our own ids stay.

    Of a path that does not exist only the beginning stays: the rest may be a name with a typing error after it.
    """
    path, match = request.path_info, request.resolver_match
    if match is None:
        *beginning, rest = path.split("/", KNOWN_SEGMENTS + 1)
        return "/".join([*beginning, MASK]) if len(beginning) > KNOWN_SEGMENTS and rest else path
    for name, value in match.kwargs.items():
        if isinstance(value, str) and f"<path:{name}>" in match.route and not _OUR_ID.fullmatch(value):
            path = path.replace(value, MASK)
    return path


def id_for(given: str | None) -> str:
    """The given id if it is valid, else a new one."""
    return given if given and is_request_id(given) else str(uuid4())


def log_request(method: str, path: str, status: int, began: float, touched: TouchedMessages) -> None:
    """Log the request's line; `began`: a time.perf_counter()."""
    level = _level(path, status)
    if logger.isEnabledFor(level):
        about: dict[str, object] = {"method": method, "path": path[:PATH_LENGTH], "status": status}
        about |= {"run_ms": round((time.perf_counter() - began) * 1000, 1), **touched.fields()}
        logger.log(level, "request", extra=about)


def _level(path: str, status: int) -> int:
    if status >= SERVER_ERROR:
        return logging.ERROR
    return logging.DEBUG if OK <= status < REDIRECT and path.startswith(QUIET) else logging.INFO


def traceback_filter() -> Callable[[logging.LogRecord], bool]:
    """A filter for `django.request` that keeps tracebacks only: the request's own line has the status."""
    return lambda record: bool(record.exc_info)
