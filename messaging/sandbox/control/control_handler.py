"""The base of the handlers under ``/_sandbox/``: errors that name the field."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from ..json_handler import JsonHandler
from ..settings import InputError


class ControlHandler(JsonHandler):
    """Answers ``{"error": what}``, with ``"field"`` for bad input."""

    def json_object(self) -> dict[str, Any]:
        """The request's JSON object. Raises InputError."""
        body = self.json_body()
        if not isinstance(body, dict):
            raise InputError("body", "must be a JSON object")
        return body

    def _handle_request_exception(self, e: BaseException) -> None:
        if isinstance(e, InputError):
            self.answer({"error": e.problem, "field": e.field}, HTTPStatus.BAD_REQUEST)
        else:
            super()._handle_request_exception(e)

    def error_body(self, status_code: int) -> dict[str, Any]:
        """Such as ``{"error": "Method Not Allowed"}``."""
        return {"error": HTTPStatus(status_code).phrase}


class UnknownControlHandler(ControlHandler):
    """Any other path under ``/_sandbox/``, with any method."""

    def prepare(self) -> None:
        """Runs before the method is looked up."""
        self.answer({"error": "Not Found"}, HTTPStatus.NOT_FOUND)
