"""The header `Idempotency-Key`: a repeated request gets the first answer and has no second effect."""

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
from messaging.access.idempotency import KeyOfAnotherRequest, Once, answer_given, digest_of
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

# What a send may be answered beside its 202.
REFUSALS = {
    400: OpenApiResponse(OpenApiTypes.OBJECT, "What is wrong, by field; nothing was stored."),
    409: OpenApiResponse(OpenApiTypes.OBJECT, f"The {HEADER} was used for another request."),
    503: OpenApiResponse(OpenApiTypes.OBJECT, "The database is away and nothing was stored: see Retry-After."),
}


class Conflict(APIException):
    """409: the request contradicts what is."""

    status_code = 409
    default_code = "conflict"


def answered_once(
    request: Request, work: Callable[[Once | None], Response | None], same: Callable[[Any], Any] = lambda body: body
) -> Response:
    """The answer of `work`, or the one that was stored when the same request was made before.

    `same` gives the form of the body in which two requests that mean the same are equal.

    `work` stores its answer together with what it does, and returns None where the key turns out to be used; so
    requests at the same time need no lock. Refusals are not stored: a request that was corrected may keep its key.
    Raises ValidationError for a malformed key, Conflict for one that was used for another request.
    """
    once = _once(request, same)
    if once is None:
        response = work(None)
        assert response is not None  # noqa: S101 - for mypy: without a key there is none to be used
        return response
    try:
        response = work(once)
    except ValidationError:
        # What was fine the first time may not be so now, such as a `send_at`.
        if (replay := _replay(once)) is not None:
            return replay
        raise
    if response is not None and response.status_code < 400:  # noqa: PLR2004
        return response
    replay = _replay(once) or response
    if replay is None:  # swept since the insert met it
        raise Conflict({HEADER: ["This key expired while it was used again: repeat the request."]})
    return replay


def stored_form(answer: Any) -> str:
    """An answer as it is kept."""
    return json.dumps(answer, separators=(",", ":"))


def _once(request: Request, same: Callable[[Any], Any]) -> Once | None:
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not _FORM.fullmatch(key):
        raise ValidationError({HEADER: [f"A key has 1 to {KEY_LENGTH} printable ASCII characters."]})
    client = client_of(request)
    return Once(client, key if client else _own_key(request.user.pk, key), digest_of(request.path, same(request.data)))


def _own_key(account: int | None, key: str) -> str:
    """A staff account's key, as one that no other account can name: they have no client that would keep them apart."""
    return hashlib.sha256(f"staff {account}\n{key}".encode()).hexdigest()


def _replay(once: Once) -> Response | None:
    try:
        answer = answer_given(once)
    except KeyOfAnotherRequest:
        raise Conflict(
            {HEADER: ["This key was used for another request within the last 7 days: a new request needs a new key."]}
        ) from None
    return None if answer is None else Response(json.loads(answer), status=202, headers={REPLAYED: "true"})
