"""The base of the Graph API's handlers: refusals in Meta's shape."""

from __future__ import annotations

from typing import Any

from .. import graph_errors
from ..graph_errors import GraphError
from ..json_handler import JsonHandler


class GraphHandler(JsonHandler):
    """Turns GraphError into Meta's error answer."""

    def _handle_request_exception(self, e: BaseException) -> None:
        if isinstance(e, GraphError):
            self.answer(e.as_json(), e.http_status)
        else:
            super()._handle_request_exception(e)

    def error_body(self, status_code: int) -> dict[str, Any]:
        """Code 1 is Meta's for its own mishaps."""
        return GraphError(1, "An unknown error occurred", http_status=status_code).as_json()


class UnknownPathHandler(GraphHandler):
    """Every other path, with any method."""

    def prepare(self) -> None:
        """Runs before the method is looked up."""
        raise graph_errors.unknown_path(self.request.path)
