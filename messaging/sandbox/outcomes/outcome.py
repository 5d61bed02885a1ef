"""Outcomes of calls to the Cloud API, parsed from JSON; without HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from .. import graph_errors
from ..error_codes import usual_http_status
from ..graph_errors import GraphError
from ..settings import MAX_MS, InputError

_MAX_CODE = 999_999
_LAST_HTTP_STATUS = 599
# The endings of a call; an outcome has one of them, or only `silent`.
_ENDS = ("error", "hang", "drop", "slow")
_KEYS = {*_ENDS, "status", "after_accept", "later", "silent"}


class Ending(StrEnum):
    """What the client sees. After a hang its connection stays open, after a drop it is closed without a byte."""

    ANSWER = "answer"
    ERROR = "error"
    HANG = "hang"
    DROP = "drop"


class Moment(StrEnum):
    """Whether Meta has accepted the message when the call breaks."""

    BEFORE = "before_accept"
    AFTER = "after_accept"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`accepts`: the message is accepted and enters the ledger. `code` and `http_status` are those of an ERROR.

    `slow_ms` replaces the usual answer time. `failure`: the code with which the message is reported
    failed by webhook. `silent`: no status is ever reported.
    """

    ending: Ending = Ending.ANSWER
    accepts: bool = True
    code: int = graph_errors.UNKNOWN_ERROR
    http_status: int = HTTPStatus.INTERNAL_SERVER_ERROR
    slow_ms: int | None = None
    failure: int | None = None
    silent: bool = False

    def error(self) -> GraphError:
        """The answer of an ERROR."""
        return graph_errors.of_code(self.code, self.http_status)


ACCEPTED = Outcome()


def refused(code: int, http_status: int | None = None) -> Outcome:
    """Not accepted: answered with this code, under Meta's usual HTTP status for it unless another one is given."""
    return Outcome(Ending.ERROR, False, code, http_status or usual_http_status(code))


def failed_later(code: int) -> Outcome:
    """Accepted, and reported failed by webhook."""
    return Outcome(failure=code)


def outcome_from(given: object) -> Outcome:
    """The outcome in a fault's JSON: one of

    ``{"error": code, "status"?: 400-599}``, ``{"status": 500-599, "error"?, "after_accept": true}``,
    ``{"error": code, "later": true}``, ``{"hang" | "drop": "before_accept" | "after_accept"}``, ``{"slow": ms}``,
    ``{"silent": true}``, which may also go with the others that accept the message.

    Raises InputError.
    """
    if not isinstance(given, dict) or not given:
        raise InputError("outcome", 'must be an object, such as {"error": 131056}')
    if unknown := given.keys() - _KEYS:
        raise InputError(f"outcome.{min(unknown)}", f"no such key; there are {', '.join(sorted(_KEYS))}")
    ends = [key for key in _ENDS if key in given or (key == "error" and "status" in given)]
    if len(ends) > 1:
        raise InputError("outcome", f"a call ends in one way: give {' or '.join(ends)}")
    silent = _flag(given, "silent")
    for name in ("status", "after_accept", "later"):
        if name in given and ends != ["error"]:
            raise InputError(f"outcome.{name}", "goes with an error")
    outcome = _ended(ends[0], given, silent) if ends else Outcome(silent=silent)
    if silent and not outcome.accepts:
        raise InputError("outcome.silent", "is about a message that was accepted")
    return outcome


def _ended(end: str, given: dict[str, Any], silent: bool) -> Outcome:
    if end == "error":
        return _error(given, silent)
    if end == "slow":
        return Outcome(slow_ms=_whole(given, "slow", 1, MAX_MS), silent=silent)
    if given[end] not in list(Moment):
        raise InputError(f"outcome.{end}", f"must be {' or '.join(Moment)}")
    return Outcome(Ending(end), accepts=given[end] == Moment.AFTER, silent=silent)


def _error(given: dict[str, Any], silent: bool) -> Outcome:
    code = _whole(given, "error", 0, _MAX_CODE) if "error" in given else graph_errors.UNKNOWN_ERROR
    after = _flag(given, "after_accept")
    if _flag(given, "later"):
        if after or "status" in given:
            raise InputError("outcome.later", "the call succeeds then: give neither status nor after_accept")
        return Outcome(failure=code, silent=silent)
    status = (
        _whole(given, "status", HTTPStatus.BAD_REQUEST, _LAST_HTTP_STATUS)
        if "status" in given
        else usual_http_status(code)
    )
    if after and status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise InputError("outcome.after_accept", "needs a status of 500 or more: a 4xx says that nothing was accepted")
    return Outcome(Ending.ERROR, after, code, status, silent=silent)


def _flag(given: dict[str, Any], name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise InputError(f"outcome.{name}", "must be true or false")
    return value


def _whole(given: dict[str, Any], name: str, least: int, most: int) -> int:
    value = given[name]
    if type(value) is not int or not least <= value <= most:
        raise InputError(f"outcome.{name}", f"must be a whole number from {least:d} to {most}")
    return value
