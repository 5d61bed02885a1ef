"""A NUL in a query string."""

import json

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from waproject.web.query_guard import QueryGuardMiddleware


@pytest.mark.parametrize(
    ("path", "query", "is_refused"),
    [
        ("/analytics/summary", "a=%00", True),
        ("/analytics/summary", "a=\0", True),
        ("/analytics/summary", "a=b", False),
        ("/analytics/summary", "", False),
        ("/messaging/messages", "a=%00", False),
        ("/messaging/messages", "a=\0", False),
    ],
)
def test_a_nul_is_refused_unless_the_list_names_its_parameter(path: str, query: str, is_refused: bool) -> None:
    request = RequestFactory().get(path)
    request.META["QUERY_STRING"] = query
    answer = QueryGuardMiddleware(lambda given: HttpResponse("page", status=200 if given is request else 500))(request)
    if is_refused:
        assert answer.status_code == 400
        assert json.loads(answer.content) == {"detail": "The address holds a NUL character (%00)."}
    else:
        assert (answer.status_code, answer.content) == (200, b"page")


def test_a_request_without_a_query_is_answered() -> None:
    request = RequestFactory().get("/")
    del request.META["QUERY_STRING"]
    assert QueryGuardMiddleware(lambda _: HttpResponse())(request).status_code == 200
