"""The base of the sandbox's HTTP handlers: JSON in and out, and logs without private data."""

from __future__ import annotations

import json
import logging
from types import TracebackType
from typing import Any, NoReturn

from tornado.web import HTTPError, RequestHandler

from .simulator import Simulator

logger = logging.getLogger(__name__)

# Python reads some 970 levels, and cannot write them within those of a webhook or of the page.
MAX_LEVELS = 500


class JsonHandler(RequestHandler):
    """Gives handlers the simulator; errors are answered by ``error_body`` of the subclass."""

    def initialize(self, simulator: Simulator) -> None:
        """Called by Tornado with the route's arguments."""
        self.simulator = simulator

    def answer(self, body: dict[str, Any], status: int = 200) -> None:
        """Finish with this JSON."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.finish(json.dumps(body))

    def json_body(self) -> object:
        """The request's JSON; None if it is invalid, or nested too deeply."""
        try:
            body: object = json.loads(self.request.body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            return None
        return None if _is_deep(body) else body

    def error_body(self, status_code: int) -> dict[str, Any]:
        """The JSON for an error that no handler answered itself."""
        raise NotImplementedError

    def write_error(self, status_code: int, **_kwargs: Any) -> None:
        """Called by Tornado for an exception, or a method that the handler does not have."""
        self.answer(self.error_body(status_code), status_code)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Tornado's own would log the whole request, phone numbers and all."""
        if not isinstance(value, HTTPError):
            where = f"{tb.tb_frame.f_code.co_filename}:{tb.tb_lineno}" if (tb := _innermost(tb)) else "?"
            logger.error("%s at %s", typ.__name__ if typ else "error", where)


def _innermost(tb: TracebackType | None) -> TracebackType | None:
    while tb and tb.tb_next:
        tb = tb.tb_next
    return tb


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(MAX_LEVELS + 1):
        lists = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)]
        level = [inner for each in lists for inner in each]
        if not level:
            return False
    return True


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are not JSON
