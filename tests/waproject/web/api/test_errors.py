"""Errors of the API."""

from types import SimpleNamespace

import pytest
from django.core.exceptions import TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from rest_framework.exceptions import NotAuthenticated, ParseError, PermissionDenied
from rest_framework.renderers import JSONRenderer

from tests.waproject.web.test_statement_timeout import canceled
from waproject.web.api.errors import handle, unavailable

AWAY = "The database is not available; try again in 5 seconds."
AWAY_AT_A_CHANGE = (
    "The database is not available, and it is not known whether the request was stored; repeat it in 5 seconds, a send"
    " with the same Idempotency-Key."
)
SLOW = "The database did not answer in time. Try again, or ask for less: a shorter period or fewer groups."
LONG = "The form has too many fields or files."
KEY = "Send your API key: `Authorization: Bearer wak_…`."


@pytest.mark.parametrize(
    ("error", "status", "detail", "retry"),
    [
        (OperationalError(), 503, AWAY, "5"),
        (InterfaceError(), 503, AWAY, "5"),
        (canceled("57014"), 503, SLOW, "5"),
        (TooManyFieldsSent(), 400, LONG, None),
        (TooManyFilesSent(), 400, LONG, None),
        (NotAuthenticated(), 401, KEY, None),
        (PermissionDenied("no"), 403, "no", None),
        (ParseError("odd"), 400, "odd", None),
    ],
)
def test_each_error_has_its_answer(error: Exception, status: int, detail: str, retry: str | None, db: None) -> None:
    request = SimpleNamespace(method="GET")
    answer = handle(error, {"request": request})
    assert answer is not None and answer.data is not None
    assert (answer.status_code, answer.data["detail"], answer.headers.get("Retry-After")) == (status, detail, retry)
    is_plain = isinstance(getattr(request, "accepted_renderer", None), JSONRenderer)
    assert (is_plain, getattr(request, "accepted_media_type", None)) == (
        (True, "application/json") if status == 503 else (False, None)
    )


def test_a_change_whose_database_is_away_may_have_been_stored() -> None:
    answer = handle(OperationalError(), {"request": SimpleNamespace(method="POST")})
    assert answer is not None and answer.data == {"detail": AWAY_AT_A_CHANGE}


def test_a_missing_key_keeps_its_code() -> None:
    error = NotAuthenticated()
    handle(error, {"request": SimpleNamespace()})
    assert error.get_codes() == "not_authenticated"


def test_an_unexpected_error_is_left_to_django() -> None:
    assert handle(ValueError(), {"request": SimpleNamespace()}) is None


def test_an_answer_names_the_seconds_to_wait() -> None:
    answer = unavailable("SQS is away.", 9)
    assert (answer.status_code, answer.data, answer.headers["Retry-After"]) == (503, {"detail": "SQS is away."}, "9")
