"""Medians."""

from bench.report.medians import medians


def test_one_slow_run_of_three_moves_no_median() -> None:
    runs = [{"send": {"cpu_ms": value, "p50_ms": 7}} for value in (4, 90, 5)]
    assert medians(runs) == {"send": {"cpu_ms": 5, "p50_ms": 7}}
