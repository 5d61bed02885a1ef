"""JSON bodies: what is refused, and with which words."""

import io
from typing import Any

import pytest
from rest_framework.exceptions import ParseError

from waproject.web.api.json_parser import StorableJSONParser, unstorable


def parsed(raw: bytes, encoding: str = "utf-8") -> Any:
    return StorableJSONParser().parse(io.BytesIO(raw), parser_context={"encoding": encoding})


@pytest.mark.parametrize(
    ("raw", "encoding", "value"),
    [
        (b'{"a": [1, "\xc3\xa9", null, true, 1.5]}', "utf-8", {"a": [1, "é", None, True, 1.5]}),
        ('"é"'.encode("latin-1"), "latin-1", "é"),
        (b"[" * 100 + b"]" * 100, "utf-8", None),
    ],
    ids=["all kinds", "another encoding", "a hundred levels"],
)
def test_a_body_within_the_bounds_is_read(raw: bytes, encoding: str, value: Any) -> None:
    assert value is None or parsed(raw, encoding) == value
    parsed(raw, encoding)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"{", "JSON parse error - Expecting property name"),
        (b"\xff", "JSON parse error - 'utf-8' codec"),
        (b"[NaN]", "JSON parse error - NaN is not JSON"),
        (b"[-Infinity]", "JSON parse error - -Infinity is not JSON"),
        (b"[1e400]", "[0] is out of range"),
        (b"1e400", "a number is out of range"),
        (b'"\\u0000"', "a string contains a NUL character"),
        (b'{"a": {"b": ["x", "\\u0000"]}}', "a.b[1] contains a NUL character"),
        (b'{"\\u0000": 1}', "a key contains a NUL character"),
        (b'{"a": "\\ud800"}', "a contains half of a surrogate pair"),
        (b'{"\\udfff": 1}', "a key contains half of a surrogate pair"),
        (b"[" * 101 + b"]" * 101, "nested deeper than 100 levels"),
        (b"[" + b"[]," * 150_000 + b"1]", "more than 150,000 values and keys"),
        (b"7" * 101, "a number of more than 100 characters"),
    ],
)
def test_any_other_body_is_refused_with_the_place_of_its_fault(raw: bytes, words: str) -> None:
    with pytest.raises(ParseError) as refused:
        parsed(raw)
    assert words in str(refused.value.detail)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(("levels", "fault"), [(100, None), (101, "it is nested deeper than 100 levels")])
def test_a_value_of_a_hundred_levels_can_be_stored(levels: int, fault: str | None) -> None:
    assert unstorable(nested(levels)) == fault


def test_a_body_without_a_context_is_utf_8() -> None:
    assert StorableJSONParser().parse(io.BytesIO(b'"\xc3\xa9"')) == "é"


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"k" * 65: {"b": "\0"}}, f"{'k' * 64}.b contains a NUL character"),
        ({"a": {"k" * 65: "\0"}}, f"a.{'k' * 64} contains a NUL character"),
        ({"a": {"\0": 1}}, "a key contains a NUL character"),
        ({"a": [1, [2, float("inf")]]}, "a[1][1] is out of range"),
        ([float("nan")], "[0] is out of range"),
        ("\ud800", "a string contains half of a surrogate pair"),
        ([{"a": "\udc00"}], "[0].a contains half of a surrogate pair"),
        ({"a": [1.5, True, None, "x"]}, None),
    ],
)
def test_a_fault_is_named_by_its_path(value: Any, fault: str | None) -> None:
    assert unstorable(value) == fault


@pytest.mark.parametrize(("levels", "fault"), [(100, None), (101, "it is nested deeper than 100 levels")])
def test_lists_count_as_levels_too(levels: int, fault: str | None) -> None:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    assert unstorable(value) == fault
