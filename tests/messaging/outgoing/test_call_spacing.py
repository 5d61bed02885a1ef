"""No second has more calls of a number than Meta allows, however late tasks and threads are."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.outgoing.call_spacing import CALL_SPACE, CallSpacing

RATE = 10


def slots(delays: list[tuple[float, float]], rate: int = RATE) -> list[float]:
    """When calls leave that are all due at once: each is started up to a delay too late, and leaves after another."""
    spacing, now, left = CallSpacing(rate), 100.0, []
    for started_late, left_late in delays:
        now = max(now, spacing.earliest()) + started_late
        slot = spacing.start(now)
        slot.at = now + left_late
        left.append(slot.at)
    return left


def most_in_a_second(times: list[float]) -> int:
    """The largest number of calls within any second."""
    ordered = sorted(times)
    return max(sum(at <= one < at + 1.0 for one in ordered) for at in ordered)


@given(st.lists(st.tuples(st.floats(0, 0.5), st.floats(0, 0.01)), min_size=1, max_size=60))
def test_no_second_has_more_than_the_limit(delays: list[tuple[float, float]]) -> None:
    assert most_in_a_second(slots(delays)) <= RATE


def test_a_call_that_left_late_moves_the_one_a_whole_limit_behind_it() -> None:
    left = slots([(0.0, 0.3), *[(0.0, 0.0)] * RATE])
    assert left[RATE] >= left[0] + 1.0


def test_late_calls_keep_their_space() -> None:
    left = slots([(0.0, 0.0)] * 5)
    assert [later - earlier for earlier, later in pairwise(left[1:])] == pytest.approx([CALL_SPACE / RATE] * 3)


def test_one_late_start_slows_no_later_call() -> None:
    space = CALL_SPACE / RATE
    left = slots([(0.0, 0.0), (0.0, 0.0), (space * 0.9, 0.0), (0.0, 0.0)])
    assert left[3] - left[1] == pytest.approx(2 * space)


def test_calls_go_as_fast_as_the_limit_allows() -> None:
    left = slots([(0.0, 0.0)] * 101)
    assert left[-1] - left[0] == pytest.approx(10.0, rel=0.03)
