"""Meta's limits and the customer service window, over a clock of the test's."""

from __future__ import annotations

import pytest

from messaging.sandbox.graph_errors import GraphError
from messaging.sandbox.limits import Limits
from messaging.sandbox.outcomes import Outcome, failed_later, refused
from messaging.sandbox.settings import Behaviour, WindowRule
from messaging.sandbox.users import User, user_with_phone
from messaging.sandbox.windows import Windows

from .messages import TEMPLATE, message
from .process import NUMBER, OTHER_NUMBER

DAY_S = 24 * 3600.0
ANN = user_with_phone("15551230001")


def refusal(limits: Limits, to: User, at: float, behaviour: Behaviour | None = None, number: str = NUMBER) -> int:
    """Meta's code, 0 when the send is taken."""
    try:
        limits.take(number, to, behaviour or Behaviour(), at)
    except GraphError as error:
        code: int = error.as_json()["error"]["code"]
        return code
    return 0


def user(n: int) -> User:
    return user_with_phone(f"1555{2_000_000 + n}")


def refusals(limits: Limits, count: int, at: float, behaviour: Behaviour | None = None) -> list[int]:
    return [refusal(limits, user(n), at, behaviour) for n in range(count)]


def test_a_number_sends_eighty_at_once_and_no_more() -> None:
    assert refusals(Limits(), 82, 0.0) == [0] * 80 + [130429] * 2


def test_a_number_sends_eighty_a_second() -> None:
    limits = Limits()
    refusals(limits, 80, 0.0)
    assert refusals(limits, 42, 0.5).count(0) == 40


def test_numbers_have_their_own_limits() -> None:
    limits, behaviour = Limits(), Behaviour(throughput=1, throughputs={OTHER_NUMBER: 3})
    refusals(limits, 2, 0.0, behaviour)
    taken = [refusal(limits, user(n), 0.0, behaviour, OTHER_NUMBER) for n in range(4)]
    assert taken == [0, 0, 0, 130429]


def test_without_a_limit_everything_is_taken() -> None:
    assert set(refusals(Limits(), 500, 0.0, Behaviour(throughput=0))) == {0}


def test_what_users_write_counts_too() -> None:
    limits, behaviour = Limits(), Behaviour(throughput=2)
    limits.count_inbound(NUMBER, behaviour, 0.0)
    assert refusals(limits, 2, 0.0, behaviour) == [0, 130429]


def test_a_user_gets_45_at_once_and_then_one_in_six_seconds() -> None:
    limits = Limits()
    burst = [refusal(limits, ANN, 0.0) for _ in range(46)]
    assert burst == [0] * 45 + [131056]
    assert [refusal(limits, ANN, at) for at in (5.9, 6.1, 6.2)] == [131056, 0, 131056]


def test_other_users_are_not_concerned() -> None:
    limits = Limits()
    for _ in range(46):
        refusal(limits, ANN, 0.0)
    assert refusal(limits, user(1), 0.0) == 0


def test_the_limit_of_pairs_can_be_switched_off() -> None:
    behaviour = Behaviour(throughput=0, pair_limit=False)
    limits = Limits()
    assert {refusal(limits, ANN, 0.0, behaviour) for _ in range(60)} == {0}


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [(WindowRule.OFF, None), (WindowRule.REFUSE, refused(131047)), (WindowRule.FAIL, failed_later(131047))],
)
def test_free_text_without_a_window(rule: WindowRule, outcome: Outcome | None) -> None:
    assert Windows().outcome_of(message(), NUMBER, Behaviour(window=rule), 0.0) == outcome


def test_a_template_needs_no_window() -> None:
    assert Windows().outcome_of(message(**TEMPLATE), NUMBER, Behaviour(window=WindowRule.REFUSE), 0.0) is None


@pytest.mark.parametrize(
    ("at", "number", "open_"), [(DAY_S - 1, NUMBER, True), (DAY_S, NUMBER, False), (1.0, "2", False)]
)
def test_a_window_is_open_for_a_day_on_the_number_that_was_written_to(at: float, number: str, open_: bool) -> None:
    windows = Windows()
    windows.user_wrote(NUMBER, ANN, 0.0)
    outcome = windows.outcome_of(message(), number, Behaviour(window=WindowRule.REFUSE), at)
    assert (outcome is None) == open_


def test_a_user_with_a_user_id_of_his_own_opens_the_window_of_his_phone_number() -> None:
    windows = Windows()
    windows.user_wrote(NUMBER, user_with_phone("15551230001", "US.77"), 0.0)
    assert windows.outcome_of(message(), NUMBER, Behaviour(window=WindowRule.REFUSE), 1.0) is None
