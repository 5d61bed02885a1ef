"""Percentiles, and medians of nested results."""

import statistics
from collections.abc import Sequence
from typing import Any


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of ordered values."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def medians(runs: Sequence[Any]) -> Any:
    """One result of the shape of all runs, each number the median of theirs."""
    if isinstance(runs[0], dict):
        return {name: medians([run[name] for run in runs]) for name in runs[0]}
    return statistics.median(runs)
