"""The table of measurements and the page's account of it."""

from typing import Any

import pytest

from bench.measurements import AT_AN_AGE, MEASUREMENTS
from bench.report import page
from bench.report.targets import COSTS

MACHINE = {"cpu": "x", "cores": 2, "memory_gb": 8, "kernel": "Linux"}
OLDER = {"date": "2026-11-25", "machine": MACHINE, "runs": 1}


@pytest.mark.parametrize(("runs", "words"), [(1, ", once, "), (3, ", medians of 3 runs, ")])
def test_only_what_ran_several_times_is_called_a_median(runs: int, words: str) -> None:
    figures: dict[str, Any] = {"measured": {"idle": {"date": "2026-11-25", "machine": MACHINE, "runs": runs}}}
    assert words in page.tables(figures)


def test_the_page_shows_the_machines_speed_during_a_measurement() -> None:
    about = {"date": "2026-11-26", "machine": MACHINE, "runs": 3, "yardstick": {"warm_ms": 0.312, "cold_ms": 0.58}}
    assert "; yardstick 0.31 ms, 0.58 ms at 80/s (" in page.tables({"measured": {"send": about, "idle": OLDER}})


def test_figures_from_before_the_yardstick_are_shown_without_one() -> None:
    assert "yardstick" not in page.tables({"measured": {"idle": OLDER}})


def test_every_part_that_age_may_slow_down_runs_in_the_pipeline_and_shows_its_cost() -> None:
    assert set(AT_AN_AGE) == {*COSTS, "history"}
    assert all(MEASUREMENTS[name].in_pipeline for name in AT_AN_AGE)


def test_a_cost_names_the_stored_messages_that_it_was_measured_at() -> None:
    figures = {"measured": {}, "send_at_1000000": {"postgres_cpu_ms": 1.5, "cpu_ms": 3.5}}
    assert "| send, at 1,000,000 stored messages | 3.50 | 1.50 |" in page.tables(figures)
