"""When alerts fire and end, with a clock of our own."""

from dataclasses import replace
from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.alerts.state import Rule, Severity, Standing, step, step_all
from tests.monitoring.moments import at, window

RULE = Rule(
    "r", Severity.WARNING, lambda _: {}, fires_at=10, clears_at=5, for_s=60, clears_after_s=60, summary="", action=""
)


def run(values: list[float], rule: Rule = RULE, every: float = 30) -> list[bool]:
    """Whether it fires after each value."""
    standing: Standing | None = None
    firing = []
    for n, value in enumerate(values):
        standing = step(rule, standing, value, at(n * every))
        firing.append(standing is not None and standing.firing)
    return firing


@pytest.mark.parametrize(
    ("values", "firing"),
    [
        ([0, 9, 9], [False, False, False]),
        ([10, 10, 10], [False, False, True]),
        ([10, 9, 10, 10, 10], [False, False, False, False, True]),
        ([99, 99, 99, 7, 7, 7, 7], [False, False, True, True, True, True, True]),
        ([99, 99, 99, 4, 4, 4], [False, False, True, True, True, False]),
        ([99, 99, 99, 4, 6, 4, 4], [False, False, True, True, True, True, True]),
        ([99, 99, 99, 4, 4, 4, 99, 99, 99], [False, False, True, True, True, False, False, False, True]),
    ],
    ids=["below", "fires after its time", "a dip starts anew", "between the values", "over", "not over yet", "again"],
)
def test_an_alert_fires_and_ends_as_the_table_says(values: list[float], firing: list[bool]) -> None:
    assert run(values) == firing


def test_a_rule_without_a_time_fires_at_once() -> None:
    assert run([10], replace(RULE, for_s=0)) == [True]


@given(st.lists(st.floats(0, 20), max_size=60))
def test_an_alert_that_swings_changes_at_most_once_in_its_times(values: list[float]) -> None:
    firing = run(values)
    changes = [n for n, (before, after) in enumerate(pairwise(firing)) if before != after]
    assert all(later - earlier >= 2 for earlier, later in pairwise(changes))


def test_where_nobody_can_tell_nothing_changes() -> None:
    standing = {"incoming": Standing(12, at(0), firing=True)}
    assert step_all(replace(RULE, reading=lambda _: None), standing, window({})) == standing


def test_what_is_not_read_any_more_ends() -> None:
    standing = {"gone": Standing(12, at(0), firing=True)}
    rule = replace(RULE, clears_after_s=0)
    assert step_all(rule, standing, window({})) == {}


def test_each_key_stands_for_itself() -> None:
    def reading(_: object) -> dict[str, float]:
        return {"a": 10, "b": 1}

    stepped = step_all(replace(RULE, reading=reading, for_s=0), {}, window({}))
    assert {key: standing.firing for key, standing in stepped.items()} == {"a": True}


def test_since_is_when_the_threshold_was_passed() -> None:
    standing = step(RULE, step(RULE, None, 10, at(0)), 11, at(60))
    assert standing is not None and standing.since == datetime.fromisoformat("2026-03-01T12:00:00+00:00")
