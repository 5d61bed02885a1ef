"""Samples by hand."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from monitoring.metrics.samples import Moment
from monitoring.metrics.window import Window
from waproject.metrics.counters import Series

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """So many seconds after the start."""
    return START + timedelta(seconds=seconds)


def window(*values: Mapping[Series, float], every: float = 30) -> Window:
    """A moment for each of these values, `every` seconds apart."""
    return Window(tuple(Moment(at(n * every), value) for n, value in enumerate(values)))
