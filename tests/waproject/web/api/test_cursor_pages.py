"""Pages of a list of the API."""

from types import SimpleNamespace
from typing import Any

import pytest
from django_filters import CharFilter, MultipleChoiceFilter
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from waproject.web.api.cursor_pages import CursorPages

FILTERS = {"status": MultipleChoiceFilter(), "type": CharFilter()}
FILTERED: Any = SimpleNamespace(filterset_class=SimpleNamespace(base_filters=FILTERS))
PLAIN: Any = SimpleNamespace()


def request(query: str) -> Request:
    return Request(APIRequestFactory().get(f"/a?{query}"))


@pytest.mark.parametrize("size", ["1", "50", "200"])
def test_a_page_has_up_to_200_rows(size: str) -> None:
    assert CursorPages().get_page_size(request(f"page_size={size}")) == int(size)


def test_a_page_has_50_rows_unless_asked_otherwise() -> None:
    assert CursorPages().get_page_size(request("")) == 50


@pytest.mark.parametrize("size", ["0", "201", "-1", "", "x", "1.0", "%D9%A1", "1000000001", "%C2%B2"])
def test_another_size_is_refused(size: str) -> None:
    with pytest.raises(ValidationError) as refused:
        CursorPages().get_page_size(request(f"page_size={size}"))
    assert refused.value.detail == {"page_size": ["A whole number from 1 to 200."]}


@pytest.mark.parametrize(
    ("view", "query", "faults"),
    [
        (FILTERED, "status=a&status=b&type=c&page_size=3", None),
        (FILTERED, "type=a&type=b", {"type": ["Give it once."]}),
        (FILTERED, "typ=a", {"typ": ["Unknown parameter. Allowed: cursor, page_size, status, type."]}),
        (PLAIN, "type=a", {"type": ["Unknown parameter. Allowed: cursor, page_size."]}),
        (None, "type=a", {"type": ["Unknown parameter. Allowed: cursor, page_size."]}),
        (PLAIN, "cursor=x&page_size=1", None),
    ],
)
def test_a_list_takes_its_filters_and_the_parameters_of_pages(
    view: Any, query: str, faults: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def paginate(_: Any, *rest: Any) -> list[str]:
        given.append(rest)
        return ["page"]

    monkeypatch.setattr(CursorPagination, "paginate_queryset", paginate)
    rows, asked = [1], request(query)
    if faults is None:
        assert CursorPages().paginate_queryset(rows, asked, view) == ["page"]
        assert given == [(rows, asked, view)]
    else:
        with pytest.raises(ValidationError) as refused:
            CursorPages().paginate_queryset(rows, asked, view)
        assert refused.value.detail == faults


def test_the_description_has_the_bounds_of_a_page() -> None:
    found = {one["name"]: one["schema"] for one in CursorPages().get_schema_operation_parameters(PLAIN)}
    assert found == {
        "cursor": {"type": "string"},
        "page_size": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
    }


@pytest.mark.parametrize("position", [None, "2026-03-01", "a\0b"])
def test_a_cursor_with_a_nul_is_invalid(position: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = request("")
    cursor: Any = SimpleNamespace(position=position)
    monkeypatch.setattr(CursorPagination, "decode_cursor", lambda _, given: cursor if given is asked else None)
    if position and "\0" in position:
        with pytest.raises(NotFound, match="Invalid cursor"):
            CursorPages().decode_cursor(asked)
    else:
        assert CursorPages().decode_cursor(asked) is cursor


def test_the_first_page_has_no_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CursorPagination, "decode_cursor", lambda *_: None)
    assert CursorPages().decode_cursor(request("")) is None
