"""Percentiles."""

import pytest

from testkit.statistics import percentile, summary


@pytest.mark.parametrize(("percent", "expected"), [(0, 1), (50, 51), (99, 100), (100, 100)])
def test_a_percentile_is_one_of_the_values(percent: float, expected: float) -> None:
    assert percentile(range(1, 101), percent) == expected


@pytest.mark.parametrize(
    ("samples", "percent", "names"),
    [
        (1000, 99, {"p50_ms", "p99_ms"}),
        (999, 99, {"p50_ms", "slowest_ms"}),
        (200, 95, {"p50_ms", "p95_ms"}),
        (199, 95, {"p50_ms", "slowest_ms"}),
    ],
)
def test_a_percentile_with_too_few_samples_beyond_it_is_called_the_slowest(
    samples: int, percent: int, names: set[str]
) -> None:
    assert summary(range(samples), percent).keys() == names
