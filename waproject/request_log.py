"""A line for each request, and an id that leads from it to the tasks that it caused."""

import logging
import time
from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

from waproject.log_context import is_request_id, work

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
# Hundreds a second, and what becomes of a webhook that was taken is said by its task, with the same id.
QUIET = ("/webhook/", "/static/")
PATH_LENGTH = 200
OK, REDIRECT, SERVER_ERROR = 200, 400, 500


class RequestLogMiddleware:
    """Takes a proxy's X-Request-ID, or makes one, returns it, and says how the request went. No query string."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer it."""
        given, began = request.headers.get(HEADER), time.perf_counter()
        request_id = given if given and is_request_id(given) else str(uuid4())
        with work(request_id=request_id) as touched:
            response = self.get_response(request)
            response.headers[HEADER] = request_id
            level = _level(request.path_info, response.status_code)
            if logger.isEnabledFor(level):
                about: dict[str, object] = {"method": request.method, "path": request.path_info[:PATH_LENGTH]}
                run_ms = round((time.perf_counter() - began) * 1000, 1)
                about |= {"status": response.status_code, "run_ms": run_ms, **touched.fields()}
                logger.log(level, "request", extra=about)
        return response


def _level(path: str, status: int) -> int:
    if status >= SERVER_ERROR:
        return logging.ERROR
    return logging.DEBUG if OK <= status < REDIRECT and path.startswith(QUIET) else logging.INFO


def traceback_filter() -> Callable[[logging.LogRecord], bool]:
    """A filter for `django.request`: what it says of answers stands in the request's own line."""
    return lambda record: bool(record.exc_info)
