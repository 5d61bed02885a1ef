"""Percentiles and medians."""

import pytest

from bench.statistics import medians, percentile


@pytest.mark.parametrize(("percent", "expected"), [(0, 1), (50, 51), (99, 100), (100, 100)])
def test_a_percentile_is_one_of_the_values(percent: float, expected: float) -> None:
    assert percentile(range(1, 101), percent) == expected


def test_one_slow_run_of_three_moves_no_median() -> None:
    runs = [{"send": {"cpu_ms": value, "p50_ms": 7}} for value in (4, 90, 5)]
    assert medians(runs) == {"send": {"cpu_ms": 5, "p50_ms": 7}}
