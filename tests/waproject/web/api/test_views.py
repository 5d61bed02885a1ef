"""Views of the API that take neither unknown parameters nor a body."""

import json
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from waproject.web.api.views import NO_BODY, StrictQueries


class View(StrictQueries):
    """A view that anybody may call."""

    authentication_classes = ()
    permission_classes = ()
    query_parameters = ("estimate",)
    reads_query = ("PUT",)


class Silent(View):
    """One that takes no body."""

    takes_no_body = True


def refused(view: StrictQueries, method: str, query: str = "", body: Any = None) -> Any:
    """The faults of a request; None if it is taken."""
    factory = APIRequestFactory()
    text = "" if body is None else json.dumps(body)
    raw = factory.generic(method, f"/a?{query}", text, content_type="application/json")
    view.args, view.kwargs, view.format_kwarg = (), {}, None
    try:
        view.initial(Request(raw, parsers=[JSONParser()]))
    except ValidationError as error:
        return error.detail
    return None


@pytest.mark.parametrize(
    ("method", "query", "faults"),
    [
        ("GET", "", None),
        ("GET", "estimate=true", None),
        ("POST", "estimate=true", None),
        ("GET", "estimat=true", {"estimat": ["Unknown parameter. Allowed: estimate."]}),
        ("POST", "estimate=", {"estimate": ["Give a value, or leave the parameter out."]}),
        ("PUT", "estimat=true", None),
    ],
)
def test_a_view_refuses_parameters_that_it_does_not_know(method: str, query: str, faults: Any) -> None:
    assert refused(View(), method, query) == faults


@pytest.mark.parametrize(
    ("view", "method", "body", "faults"),
    [
        (Silent, "POST", {"until": 1, "b" * 101: 2}, {"until": [NO_BODY], "b" * 100: [NO_BODY]}),
        (Silent, "POST", [1], {"detail": [NO_BODY]}),
        (Silent, "POST", {}, None),
        (Silent, "POST", None, None),
        (Silent, "PUT", {"until": 1}, None),
        (View, "POST", {"until": 1}, None),
    ],
)
def test_a_view_that_takes_no_body_names_what_it_does_not_take(
    view: type[View], method: str, body: Any, faults: Any
) -> None:
    assert refused(view(), method, body=body) == faults
