import pickle
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.whatsapp.errors import (
    CODES,
    Kind,
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    Rejected,
    Scope,
    Throttled,
    Unavailable,
    WhatsAppError,
    describe,
    from_response,
    from_status_error,
    lookup,
    mask,
)
from tests.messaging.whatsapp.strategies import JSON

LISTED = [
    *(0, 1, 2, 3, 4, 10, 33, 100, 190, 200, 299, 368, 613, 80007, 130403, 130429, 130472, 130497, 130501),
    *(131000, 131005, 131008, 131009, 131016, 131021, 131026, 131030, 131031, 131037, 131042, 131044, 131045),
    *(131047, 131048, 131049, 131050, 131051, 131052, 131053, 131055, 131056, 131057, 131058, 131060, 131062, 131063),
    131064,
    *(132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132018, 132068, 132069),
    *(133000, 133004, 133005, 133006, 133008, 133009, 133010, 133015, 133016, 134011, 134100, 134101, 134102),
    *(135000, 137000, 139100, 139103, 147001, 147005),
]


def answer(code: int, subcode: Any = None) -> dict[str, Any]:
    return {"error": {"message": f"(#{code}) Oops", "code": code, "error_subcode": subcode, "fbtrace_id": "Az-1_b"}}


@pytest.mark.parametrize("code", LISTED)
def test_every_listed_code_is_in_the_table_with_words_for_it(code: int) -> None:
    assert lookup(code)
    assert describe(code) != describe(999999)


@pytest.mark.parametrize("entry", CODES.values(), ids=lambda entry: str(entry.code))
def test_every_entry_has_what_its_class_needs(entry: Any) -> None:
    needs_scope = entry.kind in {Kind.THROTTLED, Kind.MISCONFIGURED}
    needs_wait = entry.kind in {Kind.THROTTLED, Kind.UNAVAILABLE}
    assert bool(entry.scope) is needs_scope
    assert not needs_wait or entry.wait > 0


@pytest.mark.parametrize(
    ("status", "code", "subcode", "expected", "scope"),
    [
        (400, 4, None, Throttled, Scope.APP),
        (429, 4, None, Throttled, Scope.APP),
        (400, 130429, None, Throttled, Scope.NUMBER),
        (429, 131056, None, Throttled, Scope.PAIR),
        (400, 132015, None, Throttled, Scope.TEMPLATE),
        (429, 999999, None, Throttled, Scope.NUMBER),
        (401, 190, 463, Misconfigured, Scope.APP),
        (403, 250, None, Misconfigured, Scope.APP),
        (400, 100, 33, Misconfigured, Scope.NUMBER),
        (400, 133010, None, Misconfigured, Scope.NUMBER),
        (400, 133777, None, Misconfigured, Scope.NUMBER),
        (400, 131048, None, Misconfigured, Scope.NUMBER),
    ],
)
def test_what_stops_more_than_one_message_has_a_scope(
    status: Any, code: int, subcode: Any, expected: Any, scope: Any
) -> None:
    error = from_response(status, answer(code, subcode), {})
    assert type(error) is expected
    assert vars(error)["scope"] is scope


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, 100, Rejected),
        (400, "131026", Rejected),
        (404, 132001, Rejected),
        (400, 131000, Unavailable),
        (400, 999999, Unavailable),
        (400, None, Unavailable),
        (400, True, Unavailable),
        (400, 2**40, Unavailable),
        (500, 131000, OutcomeUnknown),
        (500, 100, OutcomeUnknown),
        (503, 190, OutcomeUnknown),
        (599, 999999, OutcomeUnknown),
        (302, None, OutcomeUnknown),
        (200, 100, OutcomeUnknown),
    ],
)
def test_a_5xx_is_always_ambiguous_and_an_unknown_4xx_is_temporary(status: Any, code: int, expected: Any) -> None:
    assert type(from_response(status, answer(code), {})) is expected


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, 4.0),
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "0"}, 4.0),
        ({"Retry-After": "soon"}, 4.0),
        ({"Retry-After": "-3"}, 4.0),
        ({"Retry-After": "3600"}, 3600.0),
        ({"Retry-After": "3601"}, 3600.0),
        ({"Retry-After": "86400"}, 3600.0),
        ({"Retry-After": "999999999"}, 3600.0),
        ({"X-Business-Use-Case-Usage": '{"1": [{"estimated_time_to_regain_access": 1440}]}'}, 3600.0),
        ({"X-Business-Use-Case-Usage": '{"1": [{"estimated_time_to_regain_access": 3}, 5]}'}, 180.0),
        ({"X-Business-Use-Case-Usage": "[1]"}, 4.0),
        ({"X-Business-Use-Case-Usage": "{"}, 4.0),
    ],
)
def test_the_wait_is_the_tables_unless_a_header_asks_for_another(headers: dict[str, str], wait: float) -> None:
    error = from_response(429, answer(131056), headers)
    assert isinstance(error, Throttled)
    assert (error.wait, error.growth) == (wait, 4.0)


@pytest.mark.parametrize(
    ("code", "wait"), [(131056, 3600.0), (130429, 3600.0), (4, 3600.0), (2, 3600.0), (999999, 3600.0)]
)
def test_a_retry_after_of_a_day_stops_nothing_for_longer_than_an_hour(code: int, wait: float) -> None:
    tomorrow = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)
    for header in ("86400", tomorrow):
        assert vars(from_response(429, answer(code), {"Retry-After": header}))["wait"] == wait


def test_retry_after_may_be_a_date() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    error = from_response(400, answer(2), {"Retry-After": date})
    assert isinstance(error, Unavailable)
    assert 55 < error.wait <= 60


@pytest.mark.parametrize(
    ("data", "details"), [({"details": "why"}, "why"), ("why", "why"), (None, ""), ([1], ""), ({"details": 5}, "")]
)
def test_error_data_may_have_any_shape(data: Any, details: Any) -> None:
    body = {"error": {"message": "(#100) Invalid", "code": 100, "error_data": data, "fbtrace_id": "A<b>\n"}}
    error = from_response(400, body, {})
    assert (error.title, error.details, error.fbtrace_id) == ("Invalid", details, "Ab")


@given(st.integers(100, 599), JSON | st.fixed_dictionaries({"error": JSON}), st.dictionaries(st.text(), st.text()))
def test_no_body_and_no_header_makes_it_raise(status: Any, body: Any, headers: dict[str, str]) -> None:
    error = from_response(status, body, headers)
    assert isinstance(error, WhatsAppError)
    assert str(error)


@given(st.text())
def test_no_header_value_makes_it_raise(value: Any) -> None:
    from_response(429, None, {"Retry-After": value, "X-Business-Use-Case-Usage": value})


@pytest.mark.parametrize(
    "private",
    [
        *("16505551234", "+1 (650) 555-1234", "0049 151 2345 678", "wamid.HBgLMTY1MDM4Nzk0MzkVAgA="),
        "EAAG" + "x1Y2" * 20,
    ],
)
def test_private_texts_are_masked(private: str) -> None:
    error = from_response(400, {"error": {"message": f"Bad {private}!", "error_data": f"see {private}"}}, {})
    assert private not in error.title + error.details + str(error) + repr(error)
    assert error.title.startswith("Bad …")


def test_short_numbers_stay_and_long_texts_are_cut() -> None:
    assert mask("131026 within 24 hours") == "131026 within 24 hours"
    assert len(mask("a b " * 9999)) == 1000
    assert mask("a\x00\ud800") == "a\ufffd\ufffd"


@pytest.mark.parametrize("error_class", [NotSent, Throttled, Unavailable, OutcomeUnknown, Rejected, Misconfigured])
def test_errors_survive_pickling_and_say_what_they_are(error_class: Any) -> None:
    error = error_class(code=131026, http_status=400)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(copy), vars(copy), str(copy)) == (error_class, vars(error), str(error))
    assert str(error_class())


def test_an_error_reads_like_a_sentence() -> None:
    assert str(from_response(400, answer(131021), {})) == (
        "131021: the recipient is the sending number itself, HTTP 400, fbtrace Az-1_b"
    )


@given(JSON)
def test_any_error_of_a_status_can_be_read(error: Any) -> None:
    from_status_error(error)


def test_a_status_error_has_code_title_and_details() -> None:
    found = from_status_error({"code": 131047, "title": "Re-engagement", "error_data": {"details": "24 h"}})
    assert (found.code, found.title, found.details) == (131047, "Re-engagement", "24 h")
    assert from_status_error({"code": 1, "details": "of 2022"}).details == "of 2022"


def test_unknown_codes_have_words_too() -> None:
    assert "999999" in describe(999999)
    assert describe(None)
