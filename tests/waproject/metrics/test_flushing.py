"""Flushing of counters to the configured store."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.waiting import eventually
from waproject.metrics import counters, flushing
from waproject.metrics.counters import WEBHOOKS, Series

stored: list[dict[Series, float]] = []


def keep(sums: Mapping[Series, float]) -> None:
    """A store in memory."""
    stored.append(dict(sums))


@pytest.fixture
def buffer(monkeypatch: pytest.MonkeyPatch) -> counters._Buffer:
    """The counters of this test alone."""
    stored.clear()
    monkeypatch.setattr(counters, "_buffer", counters._Buffer())
    return counters._buffer


def test_counts_reach_the_store_of_the_settings(buffer: counters._Buffer, settings: Any) -> None:
    settings.METRICS_STORE = f"{__name__}.keep"
    flushing.start_flushing(every=0.01)
    WEBHOOKS.inc("taken")
    assert eventually(lambda: stored == [{(WEBHOOKS.name, "taken"): 1.0}])
    buffer.start_flushing(keep, every=3600)  # its thread outlives the test


@pytest.mark.parametrize(("given", "seconds"), [({}, 10.0), ({"every": 3600.0}, 3600.0)])
def test_a_process_flushes_as_often_as_it_says(buffer: counters._Buffer, given: Any, seconds: float) -> None:
    flushing.start_flushing(**given)
    assert buffer._every == seconds
