"""Medians of nested figures."""

import statistics
from collections.abc import Sequence
from typing import Any


def medians(runs: Sequence[Any]) -> Any:
    """One result of the shape of all runs, each number the median of theirs."""
    if isinstance(runs[0], dict):
        return {name: medians([run[name] for run in runs]) for name in runs[0]}
    return statistics.median(runs)
