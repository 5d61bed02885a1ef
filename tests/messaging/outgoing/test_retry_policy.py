"""The retry policy: the decision for each code of Meta and each kind of error."""

from typing import Any

import pytest

from messaging.outgoing.retry_policy import AttemptHistory, Decision, Limits, Suspension, decide
from messaging.outgoing.retry_settings import limits
from messaging.states import Status
from messaging.whatsapp.error_codes import CODES, RANGES
from messaging.whatsapp.errors import (
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    Rejected,
    Scope,
    Throttled,
    Unavailable,
    WhatsAppError,
    from_failed_status,
    from_response,
)

FIRST = AttemptHistory()
LIMITS = Limits()
DAY = 24 * 3600.0
HOUR = 3600.0


def answer(code: int, http_status: int = 400) -> WhatsAppError:
    return from_response(http_status, {"error": {"code": code, "message": "x"}}, {})


# Code: the scope that waits, seconds (None: until a person resumes it), growth in a row.
WAITS: dict[int, tuple[Scope, float | None, float]] = {
    4: (Scope.APP, 300, 1),
    613: (Scope.APP, 60, 1),
    80007: (Scope.ACCOUNT, 300, 1),
    130429: (Scope.NUMBER, 2, 2),
    131056: (Scope.PAIR, 4, 4),
    132015: (Scope.TEMPLATE, 3 * HOUR, 1),
    132069: (Scope.TEMPLATE, HOUR, 1),
    134101: (Scope.TEMPLATE, 600, 1),
    **dict.fromkeys((0, 3, 10, 190, 200, 299), (Scope.APP, None, 1)),
    **dict.fromkeys((368, 131005, 131031, 131042, 131044, 131064, 134102), (Scope.ACCOUNT, None, 1)),
    **dict.fromkeys(
        (33, 131037, 131045, 131048, 133000, 133005, 133006, 133008, 133009, 133010, 133016, 133999),
        (Scope.NUMBER, None, 1),
    ),
}
# Temporary errors: seconds before the next attempt; counted.
LATER = {1: 10.0, 2: 10.0, 131000: 10.0, 131016: 10.0, 131057: 60.0, 133004: 10.0, 133015: 300.0}
ONCE_LATER = {131049: DAY}
PERMANENT = (
    100, 130403, 130472, 130497, 130501, 131008, 131009, 131021, 131026, 131030, 131047, 131050, 131051, 131052,
    131053, 131055, 131058, 131060, 131062, 131063, 132000, 132001, 132005, 132007, 132008, 132012, 132016, 132018,
    132068, 134011, 134100, 135000, 137000, 139100, 139103, 147001, 147005,
)  # fmt: skip


@pytest.mark.parametrize("code", WAITS)
def test_a_suspension_does_not_count_as_an_attempt(code: int) -> None:
    scope, wait, growth = WAITS[code]
    assert decide(answer(code), FIRST, LIMITS) == Decision(
        Status.PENDING, suspension=Suspension(scope, wait, growth, slows=code == 130429)
    )


@pytest.mark.parametrize("code", LATER)
def test_a_temporary_error_is_retried_and_counts(code: int) -> None:
    assert decide(answer(code), FIRST, LIMITS) == Decision(Status.PENDING, wait=LATER[code], counts=True)


@pytest.mark.parametrize("code", PERMANENT)
def test_a_permanent_error_fails_at_once(code: int) -> None:
    assert decide(answer(code), FIRST, LIMITS) == Decision(Status.FAILED, counts=True)


@pytest.mark.parametrize("code", ONCE_LATER)
def test_metas_cap_for_a_user_is_retried_once_a_day_later(code: int) -> None:
    first, second = (decide(answer(code), AttemptHistory(capped=capped), LIMITS) for capped in (False, True))
    assert (first, second) == (
        Decision(Status.PENDING, wait=DAY, caps=True),
        Decision(Status.FAILED, counts=True),
    )


def test_these_tables_contain_every_code() -> None:
    ends = {end for entry in RANGES for end in (entry.code, entry.last)}
    assert set(WAITS) | set(LATER) | set(ONCE_LATER) | set(PERMANENT) == set(CODES) | ends


@pytest.mark.parametrize("code", [*WAITS, *LATER, *ONCE_LATER, *PERMANENT, 999999])
def test_a_5xx_with_any_code_is_unknown(code: int) -> None:
    assert decide(answer(code, http_status=500), FIRST, LIMITS) == Decision(Status.UNKNOWN)


@pytest.mark.parametrize(
    ("error", "attempts", "decision"),
    [
        (OutcomeUnknown(), 0, Decision(Status.UNKNOWN)),
        (Rejected(), 0, Decision(Status.FAILED, counts=True)),
        (NotSent(), 4, Decision(Status.PENDING, wait=2.0)),
        (Throttled(wait=6.0), 4, Decision(Status.PENDING, suspension=Suspension(Scope.NUMBER, 6.0, 2.0, slows=True))),
        (Misconfigured(), 4, Decision(Status.PENDING, suspension=Suspension(Scope.ACCOUNT, None))),
        (Unavailable(wait=0.0), 0, Decision(Status.PENDING, wait=2.0, counts=True)),
        (Unavailable(wait=0.0), 3, Decision(Status.PENDING, wait=120.0, counts=True)),
        (Unavailable(wait=300.0), 0, Decision(Status.PENDING, wait=300.0, counts=True)),
        (Unavailable(wait=0.0), 4, Decision(Status.FAILED, counts=True, exhausted=True)),
        (answer(999999), 0, Decision(Status.PENDING, wait=10.0, counts=True)),
        (answer(999999), 4, Decision(Status.FAILED, counts=True, exhausted=True)),
    ],
)
def test_the_table_of_decisions(error: WhatsAppError, attempts: int, decision: Decision) -> None:
    assert decide(error, AttemptHistory(attempts), LIMITS) == decision


def test_on_unknown_fail_fails_an_unknown_outcome() -> None:
    assert decide(OutcomeUnknown(), AttemptHistory(fail_unknown=True), LIMITS) == Decision(Status.FAILED)


def test_the_back_off_grows_to_its_last_step() -> None:
    limits = Limits(max_attempts=9)
    busy = Unavailable(title="busy", wait=0.0)
    waits = [decide(busy, AttemptHistory(attempts), limits).wait for attempts in range(8)]
    assert waits == [2.0, 8.0, 30.0, 120.0, 600.0, 600.0, 600.0, 600.0]


def test_attempts_back_off_and_code_waits_can_be_set() -> None:
    limits = Limits(max_attempts=2, back_off=(1.0,), waits={2: 30.0})
    decisions = [decide(answer(2), AttemptHistory(attempts), limits) for attempts in (0, 1)]
    assert decisions == [
        Decision(Status.PENDING, wait=30.0, counts=True),
        Decision(Status.FAILED, counts=True, exhausted=True),
    ]


@pytest.mark.parametrize(
    ("code", "status"),
    [(131049, "pending"), (131048, "pending"), (131000, "pending"), (131026, "failed"), (999999, "failed")],
)
def test_a_failed_status_is_retried_where_its_code_is_temporary(code: int, status: str) -> None:
    assert decide(from_failed_status(code, "x"), FIRST, LIMITS).status == status


def test_the_limits_are_those_of_the_settings(settings: Any) -> None:
    settings.WA_MAX_ATTEMPTS, settings.WA_BACK_OFF_S = 9, [7.0, 77.0]
    settings.WA_CODE_WAITS = {130429: 11.5}
    assert limits() == Limits(9, (7.0, 77.0), {130429: 11.5})
