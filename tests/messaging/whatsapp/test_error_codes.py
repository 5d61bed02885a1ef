"""The table of Meta's error codes, written out once more: what each stops, and for how long."""

import pytest

from messaging.whatsapp.error_codes import CODES, RANGES, Code, Kind, Scope, describe, lookup
from messaging.whatsapp.errors import (
    DEFAULT_WAIT,
    Misconfigured,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unavailable,
    from_failed_status,
    from_response,
    from_status_error,
)

THROTTLED = {
    4: (Scope.APP, 300.0, 1.0),
    613: (Scope.APP, 60.0, 1.0),
    80007: (Scope.ACCOUNT, 300.0, 1.0),
    130429: (Scope.NUMBER, 2.0, 2.0),
    131056: (Scope.PAIR, 4.0, 4.0),
    132015: (Scope.TEMPLATE, 10_800.0, 1.0),
    132069: (Scope.TEMPLATE, 3600.0, 1.0),
    134101: (Scope.TEMPLATE, 600.0, 1.0),
}
UNAVAILABLE = {1: 10.0, 2: 10.0, 131000: 10.0, 131016: 10.0, 131057: 60.0, 133004: 10.0, 133015: 300.0}
MISCONFIGURED = {
    Scope.APP: {0, 3, 10, 190, *range(200, 300)},
    Scope.ACCOUNT: {368, 131005, 131031, 131042, 131044, 131064, 134102},
    Scope.NUMBER: {33, 131037, 131045, 131048, *(set(range(133000, 134000)) - {133004, 133015})},
}
REJECTED_RANGES = {*range(139100, 139104), *range(147001, 147006)}


def found(code: int) -> Code:
    entry = lookup(code)
    assert entry
    return entry


@pytest.mark.parametrize("code", THROTTLED)
def test_a_throttling_code_stops_its_scope_for_its_wait(code: int) -> None:
    entry = found(code)
    assert (entry.kind, entry.scope, entry.wait, entry.growth) == (Kind.THROTTLED, *THROTTLED[code])


@pytest.mark.parametrize("code", UNAVAILABLE)
def test_a_passing_fault_waits_twice_as_long_each_time(code: int) -> None:
    entry = found(code)
    assert (entry.kind, entry.scope, entry.wait) == (Kind.UNAVAILABLE, None, UNAVAILABLE[code])


@pytest.mark.parametrize("scope", MISCONFIGURED)
def test_a_wrong_set_up_stops_its_scope_until_a_person_acts(scope: Scope) -> None:
    entries = {code: found(code) for code in MISCONFIGURED[scope]}
    assert {(entry.kind, entry.scope, entry.wait) for entry in entries.values()} == {(Kind.MISCONFIGURED, scope, 0.0)}


def test_all_other_codes_reject_the_message() -> None:
    others = CODES.keys() - THROTTLED.keys() - UNAVAILABLE.keys() - set().union(*MISCONFIGURED.values())
    entries = [found(code) for code in others | REJECTED_RANGES]
    assert {(entry.kind, entry.scope) for entry in entries} == {(Kind.REJECTED, None)}
    assert {entry.code: entry.wait for entry in entries if entry.wait} == {131049: 86_400.0}


@pytest.mark.parametrize("code", [-1, 5, 199, 300, 132999, 134000, 139099, 139104, 147000, 147006])
def test_a_code_beside_a_range_is_not_in_it(code: int) -> None:
    assert lookup(code) is None
    assert describe(code) == f"an error code that is not in the table ({code})"


def test_the_ranges_are_these() -> None:
    assert [(entry.code, entry.last) for entry in RANGES] == [
        (200, 299), (133000, 133999), (139100, 139103), (147001, 147005),
    ]  # fmt: skip


def test_each_code_has_words_of_its_own() -> None:
    words = [entry.meaning for entry in (*CODES.values(), *RANGES)]
    assert all(len(text) > 10 for text in words)
    assert (describe(None), describe(33)) == ("no error code was given", "the business number was deleted")
    assert describe(250) == "the app's permission is missing or was withdrawn"


@pytest.mark.parametrize(("subcode", "kind"), [(33, Kind.MISCONFIGURED), (34, Kind.REJECTED), (None, Kind.REJECTED)])
def test_the_subcode_tells_a_missing_number_from_a_bad_parameter(subcode: int | None, kind: Kind) -> None:
    entry = lookup(100, subcode)
    assert entry and entry.kind is kind
    assert lookup(131026, 33) == found(131026)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (130429, Throttled(scope=Scope.NUMBER, wait=2.0, growth=2.0, code=130429, title="T")),
        (131000, Unavailable(wait=10.0, code=131000, title="T")),
        (131042, Misconfigured(scope=Scope.ACCOUNT, code=131042, title="T")),
        (190, Misconfigured(scope=Scope.APP, code=190, title="T")),
        (131049, Rejected(wait=86_400.0, code=131049, title="T")),
        (131026, Rejected(code=131026, title="T")),
        (999999, Rejected(code=999999, title="T")),
        (None, Rejected(title="T")),
    ],
)
def test_a_failed_status_is_the_error_of_its_code(code: int | None, error: Exception) -> None:
    made = from_failed_status(code, "T")
    assert (type(made), vars(made)) == (type(error), vars(error))


@pytest.mark.parametrize(
    ("status", "code", "headers", "wait"),
    [
        (400, 131000, {"Retry-After": "7"}, 7.0),
        (400, 131000, {}, 10.0),
        (400, 999999, {}, DEFAULT_WAIT),
        (400, 999999, {"Retry-After": "7"}, 7.0),
        (429, 999999, {}, DEFAULT_WAIT),
        (429, 999999, {"Retry-After": "7"}, 7.0),
        (400, 131049, {"Retry-After": "7"}, 86_400.0),
    ],
)
def test_a_header_changes_the_wait_of_what_may_go_again(
    status: int, code: int, headers: dict[str, str], wait: float
) -> None:
    assert vars(from_response(status, {"error": {"code": code}}, headers))["wait"] == wait


@pytest.mark.parametrize(
    ("body", "facts"),
    [
        (
            {"error": {
                "message": "(#100) M", "code": "100", "error_subcode": "7", "error_user_title": "U",
                "error_user_msg": "D", "fbtrace_id": "A" * 70,
            }},
            (100, 7, "U", "D", "A" * 64),
        ),
        ({"error": {"title": "(#1) T", "details": "D", "error_user_msg": "no"}}, (None, None, "T", "D", "")),
        ({"error": {"message": "M", "title": "T", "error_data": {"details": "D"}, "details": "no"}},
         (None, None, "M", "D", "")),
        ({"error": "words"}, (None, None, "words", "", "")),
        ({"error": 5}, (None, None, "", "", "")),
        ([], (None, None, "", "", "")),
    ],
)  # fmt: skip
def test_the_facts_of_an_answer_are_read_wherever_meta_puts_them(body: object, facts: tuple[object, ...]) -> None:
    error = from_response(500, body, {})
    assert type(error) is OutcomeUnknown
    assert (error.code, error.subcode, error.title, error.details, error.fbtrace_id) == facts
    assert error.http_status == 500


@pytest.mark.parametrize(
    ("code", "read"),
    [
        (-(2**31), -(2**31)), (2**31 - 1, 2**31 - 1), (2**31, None), (-(2**31) - 1, None), ("-5", -5), ("5 ", None),
        ("12345678901", None), (True, None), (1.5, None),
    ],
)  # fmt: skip
def test_a_code_is_what_an_integer_of_the_database_holds(code: object, read: int | None) -> None:
    assert from_status_error({"code": code}).code == read
