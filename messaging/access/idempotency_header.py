"""The header `Idempotency-Key`: a repeated request gets the first answer and has no further effect."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from messaging.access.authentication import client_of
from messaging.access.idempotency import IdempotencyKeyReused, IdempotentRequest, digest_of, stored_answer
from messaging.models.idempotency import KEY_LENGTH

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
_FORM = re.compile(rf"[\x20-\x7e]{{1,{KEY_LENGTH}}}")

HEADER_PARAMETER = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    description=(
        f"1 to {KEY_LENGTH} printable ASCII characters of your choice, such as a UUID. Repeat a request with its key "
        f"and you get its answer (`{REPLAYED}: true`) and no second message. Kept for 7 days."
    ),
)

# The error responses of a send.
ERROR_RESPONSES = {
    400: OpenApiResponse(OpenApiTypes.OBJECT, "What is wrong, by field; nothing was stored."),
    409: OpenApiResponse(OpenApiTypes.OBJECT, f"The {HEADER} was used for another request."),
    503: OpenApiResponse(OpenApiTypes.OBJECT, "The database is away: repeat with the same key; see Retry-After."),
}


class Conflict(APIException):
    """409: the request conflicts with the current state."""

    status_code = 409
    default_code = "conflict"


def answer_idempotently(
    request: Request,
    work: Callable[[IdempotentRequest | None], Response | None],
    canonical_body: Callable[[Any], Any] = lambda body: body,
) -> Response:
    """The answer of `work`, or the stored answer to the same request.

    `canonical_body` returns the form in which the bodies of equivalent requests are equal.

    `work` stores its answer together with its effect, and returns None if the key is already in use; so concurrent
    requests need no lock. Errors are not stored: a corrected request may use the same key.
    Raises ValidationError for a malformed key, Conflict for one that was used for another request.
    """
    idempotent = _idempotent_request(request, canonical_body)
    if idempotent is None:
        response = work(None)
        assert response is not None  # noqa: S101 - for mypy: None means a used key, and there is no key
        return response
    try:
        response = work(idempotent)
    except ValidationError:
        # The first request may have been valid, for example before its `send_at` had passed.
        if (replay := _replay(idempotent)) is not None:
            return replay
        raise
    if response is not None and response.status_code < 400:  # noqa: PLR2004
        return response
    replay = _replay(idempotent) or response
    if replay is None:  # deleted since the insert conflicted with it
        raise Conflict({HEADER: ["This key expired while it was used again: repeat the request."]})
    return replay


def serialize_answer(answer: Any) -> str:
    """An answer in its stored form."""
    return json.dumps(answer, separators=(",", ":"))


def checked_key(request: Request) -> str | None:
    """The key that the request gives. Raises ValidationError for a malformed one."""
    key = request.headers.get(HEADER)
    if key is not None and not _FORM.fullmatch(key):
        raise ValidationError({HEADER: [f"A key has 1 to {KEY_LENGTH} printable ASCII characters."]})
    return key


def _idempotent_request(request: Request, canonical_body: Callable[[Any], Any]) -> IdempotentRequest | None:
    key = checked_key(request)
    if key is None:
        return None
    client = client_of(request)
    key = key if client else _staff_key(request.user.pk, key)
    return IdempotentRequest(client, key, digest_of(request.path, canonical_body(request.data)))


def _staff_key(account: int | None, key: str) -> str:
    """A staff account's key, hashed with the account: staff have no client that keeps their keys apart."""
    return hashlib.sha256(f"staff {account}\n{key}".encode()).hexdigest()


def _replay(idempotent: IdempotentRequest) -> Response | None:
    try:
        answer = stored_answer(idempotent)
    except IdempotencyKeyReused:
        raise Conflict(
            {HEADER: ["This key was used for another request within the last 7 days: a new request needs a new key."]}
        ) from None
    return None if answer is None else Response(json.loads(answer), status=202, headers={REPLAYED: "true"})
