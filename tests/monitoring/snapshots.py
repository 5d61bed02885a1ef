"""Snapshots with given times and values."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from monitoring.metrics.samples import Snapshot
from monitoring.metrics.window import Window
from waproject.metrics.counters import Series

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """So many seconds after the start."""
    return START + timedelta(seconds=seconds)


def window(*values: Mapping[Series, float], every: float = 30) -> Window:
    """A snapshot for each of these values, `every` seconds apart."""
    return Window(tuple(Snapshot(at(n * every), value) for n, value in enumerate(values)))


def window_at(values: Mapping[float, Mapping[Series, float]]) -> Window:
    """A snapshot for each of these seconds after the start."""
    return Window(tuple(Snapshot(at(seconds), value) for seconds, value in values.items()))
