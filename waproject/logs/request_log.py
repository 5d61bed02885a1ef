"""One log line per request, with an id that its tasks carry on."""

import logging
import re
import time
from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

from waproject.logs.context import Touched, is_request_id, work
from waproject.logs.masking import MASK

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
# Hundreds a second, and what becomes of a webhook that was taken is said by its task, with the same id.
QUIET = ("/webhook/", "/static/")
PATH_LENGTH = 200
_OUR_ID = re.compile(r"\d+|[0-9a-f-]{36}")
OK, REDIRECT, SERVER_ERROR = 200, 400, 500


class RequestLogMiddleware:
    """Takes a proxy's X-Request-ID, or makes one, returns it, and says how the request went. No query string."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer it."""
        began, request_id = time.perf_counter(), id_for(request.headers.get(HEADER))
        with work(request_id=request_id) as touched:
            response = self.get_response(request)
            response.headers[HEADER] = request_id
            say(request.method or "", _path(request), response.status_code, began, touched)
        return response


def _path(request: HttpRequest) -> str:
    """Without what a client named, such as a campaign; our own ids stay."""
    path, match = request.path_info, request.resolver_match
    if match is None:
        return path
    for name, value in match.kwargs.items():
        if isinstance(value, str) and f"<path:{name}>" in match.route and not _OUR_ID.fullmatch(value):
            path = path.replace(value, MASK)
    return path


def id_for(given: str | None) -> str:
    """A proxy's id where it is one, else a new one."""
    return given if given and is_request_id(given) else str(uuid4())


def say(method: str, path: str, status: int, began: float, touched: Touched) -> None:
    """The request's line; `began`: by time.perf_counter()."""
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
    """A filter for `django.request`: what it says of answers stands in the request's own line."""
    return lambda record: bool(record.exc_info)
