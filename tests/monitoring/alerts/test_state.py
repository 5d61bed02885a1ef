"""When alerts fire and end, with given times."""

from dataclasses import replace
from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.alerts.state import ActiveAlert, Reading, Rule, Severity, advance, advance_all, stored_key
from tests.monitoring.snapshots import at, window

RULE = Rule(
    "r",
    Severity.WARNING,
    Reading(lambda _: {}),
    fires_at=10,
    clears_at=5,
    for_s=60,
    clears_after_s=60,
    summary="",
    action="",
)


def run(values: list[float], rule: Rule = RULE, every: float = 30) -> list[bool]:
    """Whether the alert fires after each value."""
    current: ActiveAlert | None = None
    firing = []
    for n, value in enumerate(values):
        current = advance(rule, current, value, at(n * every))
        firing.append(current is not None and current.firing)
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
    ids=[
        "below",
        "fires after its time",
        "a dip restarts the duration",
        "between the values",
        "over",
        "not over yet",
        "again",
    ],
)
def test_an_alert_fires_and_ends_as_the_table_says(values: list[float], firing: list[bool]) -> None:
    assert run(values) == firing


def test_a_rule_without_a_duration_fires_at_once() -> None:
    assert run([10], replace(RULE, for_s=0)) == [True]


@given(st.lists(st.floats(0, 20), max_size=60))
def test_a_swinging_reading_changes_an_alert_at_most_once_per_duration(values: list[float]) -> None:
    firing = run(values)
    changes = [n for n, (before, after) in enumerate(pairwise(firing)) if before != after]
    assert all(later - earlier >= 2 for earlier, later in pairwise(changes))


def test_an_unknown_reading_changes_no_alert() -> None:
    current = {"incoming": ActiveAlert(12, at(0), firing=True)}
    assert advance_all(replace(RULE, reading=Reading(lambda _: None)), current, window({})) == current


def test_an_alert_ends_if_its_key_has_no_value_any_more() -> None:
    current = {"gone": ActiveAlert(12, at(0), firing=True)}
    rule = replace(RULE, fires_at=1, clears_at=None, clears_after_s=0)
    assert advance_all(rule, current, window({})) == {}


def test_each_key_has_its_own_alert() -> None:
    def reading(_: object) -> dict[str, float]:
        return {"a": 10, "b": 1}

    advanced = advance_all(replace(RULE, reading=Reading(reading), for_s=0), {}, window({}))
    assert {key: current.firing for key, current in advanced.items()} == {"a": True}


def test_since_is_when_the_threshold_was_reached() -> None:
    current = advance(RULE, advance(RULE, None, 10, at(0)), 11, at(60))
    assert current is not None and current.since == datetime.fromisoformat("2026-03-01T12:00:00+00:00")


@pytest.mark.parametrize(
    ("key", "stored"),
    [
        ("incoming", "incoming"),
        ("k" * 150, "k" * 150),
        # sha256 of 151 times k begins with these eight digits.
        ("k" * 151, "k" * 142 + "a5fd439f"),
    ],
    ids=["short", "the longest", "too long"],
)
def test_a_key_that_is_too_long_ends_with_its_digest(key: str, stored: str) -> None:
    assert stored_key(key) == stored


@pytest.mark.parametrize(
    ("reason", "described"),
    [
        ((), "97 % of a is used."),
        (("",), "97 % of a is used."),
        (("It is spring..",), "97 % of a is used. Reason: It is spring."),
    ],
)
def test_a_summary_has_its_key_its_value_and_its_reason_if_there_is_one(
    reason: tuple[str, ...], described: str
) -> None:
    rule = replace(RULE, summary="{value:.0f} % of {key} is used.")
    assert rule.describe("a", 97, *reason) == described


def test_a_link_quotes_the_key() -> None:
    rule = replace(RULE, page="/lane/{key}/")
    assert (rule.link("a b"), rule.link("a", "https://wa.example")) == ("/lane/a%20b/", "https://wa.example/lane/a/")


def test_an_alert_below_its_threshold_has_the_latest_value_until_it_ends() -> None:
    firing = ActiveAlert(12, at(0), firing=True)
    assert advance(RULE, firing, 4, at(30)) == ActiveAlert(4, at(0), firing=True, below_since=at(30))
