"""Meta's limits on edits of an approved template."""

from __future__ import annotations

import pytest

from messaging.sandbox.graph_errors import GraphError
from messaging.sandbox.templates.edit_limits import DAY_S, EditLimits


def is_allowed(edits: list[float], now: float) -> bool:
    limits = EditLimits()
    for at in edits:
        limits.record("1", at)
    try:
        limits.check("1", now)
    except GraphError:
        return False
    return True


@pytest.mark.parametrize(
    ("edits", "now", "allowed"),
    [
        ([], 0.0, True),
        ([0.0], DAY_S - 1, False),
        ([0.0], DAY_S, True),
        ([day * DAY_S for day in range(10)], 11 * DAY_S, False),
        ([day * DAY_S for day in range(9)], 11 * DAY_S, True),
        ([day * DAY_S for day in range(10)], 30 * DAY_S, True),
    ],
)
def test_a_template_is_edited_once_a_day_and_ten_times_in_thirty_days(
    edits: list[float], now: float, allowed: bool
) -> None:
    assert is_allowed(edits, now) == allowed


def test_each_template_has_its_own_limits() -> None:
    limits = EditLimits()
    limits.record("1", 0.0)
    limits.check("2", 1.0)
