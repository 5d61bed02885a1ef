"""Meta's limits and the customer service window, over a clock of the test's."""

from __future__ import annotations

import pytest

from messaging.sandbox.graph_errors import GraphError
from messaging.sandbox.outcomes.limits import Limits
from messaging.sandbox.outcomes.outcome import Outcome, failed_later, refused
from messaging.sandbox.outcomes.windows import Windows
from messaging.sandbox.settings import Behaviour, WindowRule
from messaging.sandbox.users.user import User, user_with_phone

from ..messages import TEMPLATE, message
from ..process import NUMBER, OTHER_NUMBER

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


@pytest.mark.parametrize(
    ("first_at", "then_at", "taken"), [(0.0, 0.5, 0), (0.0, 0.99, 0), (0.0, 1.0, 80), (0.6, 1.2, 0), (0.6, 1.7, 80)]
)
def test_a_number_sends_eighty_in_any_second_wherever_it_begins(first_at: float, then_at: float, taken: int) -> None:
    limits = Limits()
    refusals(limits, 80, first_at)
    assert refusals(limits, 100, then_at).count(0) == taken


def test_a_thousand_a_second_leave_eighty_in_the_first_second_and_no_more_later() -> None:
    limits = Limits()
    taken = [at for at in range(3000) if refusal(limits, user(at), at / 1000) == 0]
    assert [sum(second * 1000 <= at < second * 1000 + 1000 for at in taken) for second in range(3)] == [80, 80, 80]


def test_a_refused_send_does_not_count() -> None:
    limits = Limits()
    refusals(limits, 80, 0.0)
    refusals(limits, 80, 0.5)
    assert refusals(limits, 80, 1.0).count(0) == 80


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


def test_a_user_gets_45_at_once_and_not_one_more() -> None:
    limits = Limits()
    burst = [refusal(limits, ANN, 0.0) for _ in range(46)]
    assert burst == [0] * 45 + [131056]


@pytest.mark.parametrize(("burst", "free_again"), [(2, 12.0), (20, 120.0), (45, 270.0)])
def test_what_a_burst_borrows_is_paid_back_first(burst: int, free_again: float) -> None:
    limits = Limits()
    taken = [refusal(limits, ANN, 0.0) for _ in range(burst)]
    later = [refusal(limits, ANN, at) for at in (6.0, free_again - 0.1, free_again)]
    assert (set(taken), later) == ({0}, [131056, 131056, 0])


@pytest.mark.parametrize(("seconds", "most"), [(6, 45), (60, 45), (270, 45), (276, 46), (600, 100), (3600, 600)])
def test_who_always_asks_gets_no_more_than_one_in_six_seconds_in_the_long_run(seconds: int, most: int) -> None:
    limits, behaviour = Limits(), Behaviour(throughput=0)
    asked = (refusal(limits, ANN, tenth / 10, behaviour) for tenth in range(seconds * 10))
    assert sum(code == 0 for code in asked) == most


@pytest.mark.parametrize(("burst_seconds", "codes"), [(6, [0, 0, 131056, 131056]), (60, [0, 0, 0, 0])])
def test_a_burst_lasts_for_six_seconds_unless_it_is_set(burst_seconds: int, codes: list[int]) -> None:
    limits, behaviour = Limits(), Behaviour(pair_burst_seconds=burst_seconds)
    assert [refusal(limits, ANN, at, behaviour) for at in (0.0, 5.9, 6.0, 11.0)] == codes


def test_the_credit_for_a_burst_comes_back_with_time() -> None:
    limits = Limits()
    for _ in range(45):
        refusal(limits, ANN, 0.0)
    # 60 s after the debt is paid, there is credit for ten messages beside the one that is due.
    assert [refusal(limits, ANN, 330.0) for _ in range(13)] == [0] * 11 + [131056] * 2


def test_a_steady_sender_is_never_refused() -> None:
    limits = Limits()
    assert {refusal(limits, ANN, n * 6.0) for n in range(300)} == {0}


@pytest.mark.parametrize(("spelling", "code"), [("5215512340918", 131056), ("15551230009", 0)])
def test_a_user_has_one_limit_however_the_number_is_written(spelling: str, code: int) -> None:
    limits = Limits()
    for _ in range(45):
        refusal(limits, user_with_phone("525512340918"), 0.0)
    assert refusal(limits, user_with_phone(spelling), 1.0) == code


def opened(limits: Limits, n: int, at: float, *, window_open: bool = False, number: str = NUMBER) -> int:
    try:
        limits.take(number, user(n), Behaviour(messaging_limit=250), at, window_open=window_open)
    except GraphError as error:
        code: int = error.as_json()["error"]["code"]
        return code
    if not window_open:
        limits.open(user(n), at)
    return 0


def test_a_user_counts_for_a_day_from_the_last_message() -> None:
    limits = Limits()
    for at in (0.0, DAY_S - 60):
        opened(limits, 0, at)
    assert (limits.opened_users(DAY_S + 60), limits.opened_users(2 * DAY_S)) == (1, 0)


def test_a_user_whose_message_is_not_accepted_does_not_count() -> None:
    limits = Limits()
    limits.take(NUMBER, user(1), Behaviour(messaging_limit=1), 0.0, window_open=False)
    assert limits.opened_users(0.0) == 0


def test_the_portfolio_opens_as_many_users_a_day_as_its_messaging_limit() -> None:
    limits = Limits()
    first = [opened(limits, n, n * 1.0, number=NUMBER if n % 2 else OTHER_NUMBER) for n in range(250)]
    assert (set(first), opened(limits, 250, 300.0)) == ({0}, 131048)


@pytest.mark.parametrize(
    ("n", "at", "window_open", "code"),
    [
        (0, 300.0, False, 0),  # written to today already
        (250, 300.0, True, 0),  # has written to us
        (250, 300.0, False, 131048),
        (250, DAY_S - 1, False, 131048),
        (250, DAY_S, False, 0),  # the first one's day is over
    ],
)
def test_beyond_the_messaging_limit(n: int, at: float, window_open: bool, code: int) -> None:
    limits = Limits()
    for number in range(250):
        opened(limits, number, number * 1.0)
    assert opened(limits, n, at, window_open=window_open) == code


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


def test_a_user_with_their_own_user_id_opens_the_window_of_their_phone_number() -> None:
    windows = Windows()
    windows.user_wrote(NUMBER, user_with_phone("15551230001", "US.77"), 0.0)
    assert windows.outcome_of(message(), NUMBER, Behaviour(window=WindowRule.REFUSE), 1.0) is None
