"""Strict input: times in a zone with summer time, the spellings of times, blank parameters."""

import re
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema_rs
import pytest
from django.core.exceptions import ValidationError as InvalidValue
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from analytics.questions.periods import BadPeriod, period_of
from messaging.messages.filters import MomentField
from waproject.web.api.openapi import TEXT
from waproject.web.api.strict_fields import (
    ChoiceField,
    StrictDateTimeField,
    StringField,
    check_parameters,
    strict_internal_value,
)


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [
        ("2027-03-28T02:30:00", False),  # clocks go forward from 02:00 to 03:00
        ("2027-10-31T02:30:00", False),  # and back from 03:00 to 02:00
        ("2027-03-28T01:59:59", True),
        ("2027-03-28T03:00:00", True),
        ("2027-10-31T03:00:00", True),
        ("2027-03-28T02:30:00+01:00", True),
        ("2027-10-31T02:30:00+02:00", True),
        ("2027-10-31T02:30:00Z", True),
    ],
)
def test_a_local_time_that_does_not_exist_or_exists_twice_is_refused(given: str, is_taken: bool, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    if is_taken:
        assert StrictDateTimeField().run_validation(given)
    else:
        with pytest.raises(ValidationError, match="offset"):
            StrictDateTimeField().run_validation(given)


# What Python's and Django's parsers take beyond RFC 3339, and what the description does not allow.
ODD_TIMES = [
    "20261120", "2026-W47-5", "2026-11-20T12", "2026-11-20T120000Z", "2026-11-20x12:00:00Z", " 2026-11-20T12:00:00Z",
    "2026-11-20T12:00:00,5Z", "2026-1-2T3:4", "\u0662\u0660\u0662\u0666-11-20T12:00:00Z",
    "2026-11-20T12:00:00+01:00:30",
    "2026-11-20T12:00:00 +01:00", "2026-11-20T12:00:00 01:00", "2026-11-20T24:00:00Z", "2026-02-30", "now", "0",
    "2026-11-20\n", "+2026-11-20T12:00:00Z", "2026-11-20T12:00:00Z" * 500,
]  # fmt: skip
USUAL_TIMES = [
    "2026-11-20", "2026-11-20T12:00", "2026-11-20 12:00", "2026-11-20T12:00:00Z", "2026-11-20t12:00:00z",
    "2026-11-20T12:00:00.123456789Z", "2026-11-20T12:00:00+0100", "2026-11-20T12:00:00-01", "2026-11-20T12:00:00+01:00",
]  # fmt: skip


@pytest.mark.parametrize("text", ODD_TIMES)
def test_a_time_in_another_spelling_is_refused_in_a_body_in_a_list_and_in_a_question(text: str) -> None:
    with pytest.raises(ValidationError):
        StrictDateTimeField().run_validation(text)
    with pytest.raises(InvalidValue):
        MomentField().clean(text)
    with pytest.raises(BadPeriod):
        period_of(text, None, ZoneInfo("UTC"), datetime(2026, 11, 21, tzinfo=UTC))


@pytest.mark.parametrize("text", USUAL_TIMES)
def test_a_time_in_the_usual_spelling_is_taken_everywhere(text: str) -> None:
    taken = StrictDateTimeField().run_validation(text)
    assert taken == MomentField().clean(text)
    assert taken.date() == date(2026, 11, 20)


def test_the_description_calls_blank_what_the_api_refuses_as_blank() -> None:
    """Each character, since a generated request holds a rare one now and then: ECMAScript alone calls U+FEFF blank."""
    described = jsonschema_rs.validator_for({"type": "string", "pattern": TEXT, "minLength": 1})
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    refused = [one for one in characters if not one.strip() or one == "\0"]
    assert [one for one in characters if not described.is_valid(one)] == refused
    assert [one for one in characters if not re.search(TEXT, one)] == refused


def asked(query: str) -> Request:
    return Request(APIRequestFactory().get(f"/a?{query}"))


@pytest.mark.parametrize(
    ("query", "known", "lists", "faults"),
    [
        ("", (), (), None),
        ("a=1", ("a",), (), None),
        ("format=json", (), (), None),
        ("a=1&a=2", ("a",), ("a",), None),
        ("a=1&a=2", ("a",), ("b",), {"a": ["Give it once."]}),
        ("a=1&a=", ("a",), ("a",), {"a": ["Give a value, or leave the parameter out."]}),
        ("a=%20", ("a",), (), {"a": ["Give a value, or leave the parameter out."]}),
        ("x=1", (), (), {"x": ["Unknown parameter. None is allowed here."]}),
        ("x=1&y=2", ("b", "a", "b"), (), {name: ["Unknown parameter. Allowed: a, b."] for name in "xy"}),
        (f"{'x' * 101}=1", (), (), {"x" * 100: ["Unknown parameter. None is allowed here."]}),
    ],
)
def test_an_unknown_empty_or_repeated_parameter_is_refused(
    query: str, known: tuple[str, ...], lists: tuple[str, ...], faults: Any
) -> None:
    if faults is None:
        check_parameters(asked(query), known, lists)
    else:
        with pytest.raises(ValidationError) as refused:
            check_parameters(asked(query), known, lists)
        assert refused.value.detail == faults


def converted(data: Any) -> Any:
    if (data["a"] if isinstance(data, dict) else data) == "bad":
        raise ValidationError({"a": ["odd"]} if isinstance(data, dict) else ["odd"])
    return {"taken": data}


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        ({"a": 1}, None),
        ("text", None),
        ({"a": 1, "c": 1, "b": 1}, {"b": ["Unknown field."], "c": ["Unknown field."]}),
        ({"a": "bad"}, {"a": ["odd"]}),
        ({"a": "bad", "b": 1}, {"a": ["odd"], "b": ["Unknown field."]}),
        ("bad", ["odd"]),
    ],
)
def test_unknown_fields_are_named_beside_the_faults_of_the_known_ones(data: Any, faults: Any) -> None:
    if faults is None:
        assert strict_internal_value(converted, data, ["a"]) == {"taken": data}
    else:
        with pytest.raises(ValidationError) as refused:
            strict_internal_value(converted, data, ["a"])
        assert refused.value.detail == faults


@pytest.mark.parametrize("given", [1, 1.5e10, True, None, ["a"]])
def test_only_a_string_is_accepted_as_a_text(given: Any) -> None:
    with pytest.raises(ValidationError):
        StringField().run_validation(given)
    assert StringField().run_validation("1") == "1"


def test_a_choice_lists_what_is_allowed() -> None:
    with pytest.raises(ValidationError) as refused:
        ChoiceField(["a", "b"]).run_validation("c")
    assert refused.value.detail == ['"c" is not allowed. Allowed: a, b.']
    assert ChoiceField(["a"], required=False).required is False


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        (
            "2027-03-28T02:30:00",
            "This time does not exist, or exists twice, in Europe/Berlin: give it an offset, such as +01:00.",
        ),
        ("now", None),
        (7, None),
    ],
)
def test_the_refusal_of_a_time_says_how_to_write_it(given: Any, detail: str | None, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    with pytest.raises(ValidationError) as refused:
        StrictDateTimeField().run_validation(given)
    (found,) = refused.value.detail
    form = "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]"
    assert found == detail if detail else (form in str(found) or given == 7)


def test_a_time_without_an_offset_is_in_the_zone_of_the_settings(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    assert StrictDateTimeField().run_validation("2026-11-20T12:00") == datetime(2026, 11, 20, 11, tzinfo=UTC)
    moment = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert StrictDateTimeField().run_validation(moment) == moment
