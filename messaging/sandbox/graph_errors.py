"""The Graph API's error answers: their JSON shape, and the ones that the sandbox gives.

https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
"""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Any

from .error_codes import title_of, usual_http_status

UNKNOWN_ERROR = 131000
INVALID_PARAMETER = 100
MISSING_PARAMETER = 131008
BAD_VALUE = 131009

EXPIRED_SUBCODE = 463
_BAD_TOKEN = 190
_UNKNOWN_PATH = 2500
_NO_SUCH_OBJECT_SUBCODE = 33


class GraphError(Exception):
    """A request that the Cloud API refuses; carries the answer.

    ``details`` becomes ``error_data.details``; ``kind`` is Meta's ``type``.
    """

    def __init__(
        self,
        code: int,
        message: str,
        *,
        details: str = "",
        subcode: int | None = None,
        kind: str = "OAuthException",
        http_status: int = HTTPStatus.BAD_REQUEST,
    ) -> None:
        super().__init__(message)
        self.http_status = int(http_status)
        self._error: dict[str, Any] = {"message": message, "type": kind, "code": code}
        if subcode is not None:
            self._error["error_subcode"] = subcode
        if details:
            self._error["error_data"] = {"messaging_product": "whatsapp", "details": details}

    def as_json(self) -> dict[str, Any]:
        """``{"error": {...}}`` with a fresh fbtrace_id."""
        return {"error": {**self._error, "fbtrace_id": "A" + secrets.token_urlsafe(16)}}


def invalid_parameter(details: str) -> GraphError:
    """Code 100: a parameter of the wrong form, a wrong name, a length over the limit."""
    return GraphError(INVALID_PARAMETER, f"(#{INVALID_PARAMETER}) {details}", details=details)


def missing_parameter(details: str) -> GraphError:
    """Code 131008: something that this type of message needs is absent."""
    return GraphError(MISSING_PARAMETER, f"(#{MISSING_PARAMETER}) Required parameter is missing", details=details)


def bad_value(details: str) -> GraphError:
    """Code 131009: of the right form, but not a usable value."""
    return GraphError(BAD_VALUE, f"(#{BAD_VALUE}) Parameter value is not valid", details=details)


def of_code(code: int, http_status: int | None = None, *, details: str = "") -> GraphError:
    """An error of any code, under Meta's usual HTTP status unless another one is given."""
    title = title_of(code)
    status = usual_http_status(code) if http_status is None else http_status
    return GraphError(code, f"(#{code}) {title}", details=details or title, http_status=status)


def bad_token() -> GraphError:
    """Code 190 under HTTP 401: no access token, or not ours."""
    message = "Invalid OAuth access token - Cannot parse access token"
    return GraphError(_BAD_TOKEN, message, http_status=HTTPStatus.UNAUTHORIZED)


def expired_token() -> GraphError:
    """Code 190, subcode 463, under HTTP 401."""
    message = "Error validating access token: Session has expired."
    return GraphError(_BAD_TOKEN, message, subcode=EXPIRED_SUBCODE, http_status=HTTPStatus.UNAUTHORIZED)


def no_such_object(object_id: str, method: str) -> GraphError:
    """Code 100, subcode 33: the id in the path is not one that this token may use, or takes no such method."""
    message = (
        f"Unsupported {method.lower()} request. Object with ID '{object_id}' does not exist, cannot be loaded due to "
        "missing permissions, or does not support this operation. Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api"
    )
    return GraphError(INVALID_PARAMETER, message, subcode=_NO_SUCH_OBJECT_SUBCODE, kind="GraphMethodException")


def unknown_path(path: str) -> GraphError:
    """Code 2500: no endpoint has this path."""
    return GraphError(_UNKNOWN_PATH, f"Unknown path components: {path}")
