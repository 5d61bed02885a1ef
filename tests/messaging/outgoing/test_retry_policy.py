"""The decision after a failed call, for each code of Meta's and for each kind of error."""

import pytest

from messaging.outgoing.retry_policy import Decision, Limits, SoFar, Stop, decide
from messaging.states import Status
from messaging.whatsapp.codes import CODES, RANGES
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

FIRST = SoFar()
LIMITS = Limits()
DAY = 24 * 3600.0
HOUR = 3600.0


def answer(code: int, http_status: int = 400) -> WhatsAppError:
    return from_response(http_status, {"error": {"code": code, "message": "x"}}, {})


# Code: the scope that waits, seconds (None: until a person resumes it), growth in a row.
WAITS: dict[int, tuple[Scope, float | None, float]] = {
    4: (Scope.APP, 300, 1),
    613: (Scope.APP, 60, 1),
    80007: (Scope.APP, 300, 1),
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
# Refused for now: seconds before the first new attempt; counted.
LATER = {1: 10.0, 2: 10.0, 131000: 10.0, 131016: 10.0, 131057: 60.0, 133004: 10.0, 133015: 300.0}
ONCE_MORE = {131049: DAY}
NEVER = (
    100, 130403, 130472, 130497, 130501, 131008, 131009, 131021, 131026, 131030, 131047, 131050, 131051, 131052,
    131053, 131055, 131060, 131062, 131063, 132000, 132001, 132005, 132007, 132008, 132012, 132016, 132018, 132068,
    134011, 134100, 135000, 137000, 139100, 139103, 147001, 147005,
)  # fmt: skip


@pytest.mark.parametrize("code", WAITS)
def test_what_makes_more_than_the_message_wait_does_not_count(code: int) -> None:
    scope, wait, growth = WAITS[code]
    assert decide(answer(code), FIRST, LIMITS) == Decision(
        Status.PENDING, stop=Stop(scope, wait, growth, slows=code == 130429)
    )


@pytest.mark.parametrize("code", LATER)
def test_what_is_refused_for_now_is_tried_again_and_counts(code: int) -> None:
    assert decide(answer(code), FIRST, LIMITS) == Decision(Status.PENDING, wait=LATER[code], counts=True)


@pytest.mark.parametrize("code", NEVER)
def test_what_can_never_go_fails_at_once(code: int) -> None:
    assert decide(answer(code), FIRST, LIMITS) == Decision(Status.FAILED, counts=True)


@pytest.mark.parametrize("code", ONCE_MORE)
def test_what_meta_caps_for_a_user_is_tried_once_more_a_day_later(code: int) -> None:
    first, second = (decide(answer(code), SoFar(capped=capped), LIMITS) for capped in (False, True))
    assert (first, second) == (
        Decision(Status.PENDING, wait=DAY, caps=True),
        Decision(Status.FAILED, counts=True),
    )


def test_these_tables_have_every_code() -> None:
    ends = {end for entry in RANGES for end in (entry.code, entry.last)}
    assert set(WAITS) | set(LATER) | set(ONCE_MORE) | set(NEVER) == set(CODES) | ends


@pytest.mark.parametrize("code", [*WAITS, *LATER, *ONCE_MORE, *NEVER, 999999])
def test_whatever_its_code_a_5xx_is_never_sent_again_blindly(code: int) -> None:
    assert decide(answer(code, http_status=500), FIRST, LIMITS) == Decision(Status.UNKNOWN)


@pytest.mark.parametrize(
    ("error", "attempts", "decision"),
    [
        (OutcomeUnknown(), 0, Decision(Status.UNKNOWN)),
        (Rejected(), 0, Decision(Status.FAILED, counts=True)),
        (NotSent(), 4, Decision(Status.PENDING, wait=2.0)),
        (Throttled(wait=6.0), 4, Decision(Status.PENDING, stop=Stop(Scope.NUMBER, 6.0, 2.0, slows=True))),
        (Misconfigured(), 4, Decision(Status.PENDING, stop=Stop(Scope.ACCOUNT, None))),
        (Unavailable(wait=0.0), 0, Decision(Status.PENDING, wait=2.0, counts=True)),
        (Unavailable(wait=0.0), 3, Decision(Status.PENDING, wait=120.0, counts=True)),
        (Unavailable(wait=300.0), 0, Decision(Status.PENDING, wait=300.0, counts=True)),
        (Unavailable(wait=0.0), 4, Decision(Status.FAILED, counts=True, exhausted=True)),
        (answer(999999), 0, Decision(Status.PENDING, wait=10.0, counts=True)),
        (answer(999999), 4, Decision(Status.FAILED, counts=True, exhausted=True)),
    ],
)
def test_the_table_of_decisions(error: WhatsAppError, attempts: int, decision: Decision) -> None:
    assert decide(error, SoFar(attempts), LIMITS) == decision


def test_whoever_sent_it_may_want_an_unknown_outcome_failed() -> None:
    assert decide(OutcomeUnknown(), SoFar(fail_unknown=True), LIMITS) == Decision(Status.FAILED)


def test_attempts_back_off_longer_each_time_and_then_by_the_last_step() -> None:
    limits = Limits(max_attempts=9)
    busy = Unavailable(title="busy", wait=0.0)
    waits = [decide(busy, SoFar(attempts), limits).wait for attempts in range(8)]
    assert waits == [2.0, 8.0, 30.0, 120.0, 600.0, 600.0, 600.0, 600.0]


def test_attempts_back_off_and_the_wait_of_a_code_can_be_set() -> None:
    limits = Limits(max_attempts=2, back_off=(1.0,), waits={2: 30.0})
    decisions = [decide(answer(2), SoFar(attempts), limits) for attempts in (0, 1)]
    assert decisions == [
        Decision(Status.PENDING, wait=30.0, counts=True),
        Decision(Status.FAILED, counts=True, exhausted=True),
    ]


@pytest.mark.parametrize(
    ("code", "status"),
    [(131049, "pending"), (131048, "pending"), (131000, "pending"), (131026, "failed"), (999999, "failed")],
)
def test_a_failure_that_meta_reports_later_is_no_last_word_where_its_code_passes(code: int, status: str) -> None:
    assert decide(from_failed_status(code, "x"), FIRST, LIMITS).status == status
