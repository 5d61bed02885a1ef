"""Flushing of counters to the configured store."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.waiting import eventually
from waproject.metrics import counters, flushing
from waproject.metrics.counters import WEBHOOKS, Histogram, Series

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


def test_counts_reach_the_store_of_the_settings_within_the_given_time(buffer: counters._Buffer, settings: Any) -> None:
    settings.METRICS_STORE = f"{__name__}.keep"
    flushing.start_flushing(every=0.01)
    WEBHOOKS.inc("taken")
    assert eventually(lambda: stored == [{(WEBHOOKS.name, "taken"): 1.0}])
    buffer.start_flushing(keep, every=3600)  # its thread outlives the test


def test_counts_are_flushed_every_ten_seconds_by_one_thread_that_keeps_no_process_alive(
    buffer: counters._Buffer,
) -> None:
    counters.start_flushing(keep)
    WEBHOOKS.inc("taken")
    flusher = buffer._flusher
    WEBHOOKS.inc("taken")
    assert flusher is not None and flusher.daemon and buffer._flusher is flusher
    assert (buffer._every, stored) == (10.0, [])
    counters.flush()
    counters.flush()
    assert stored == [{(WEBHOOKS.name, "taken"): 2.0}]


def test_a_process_that_flushes_nowhere_keeps_its_counts_and_starts_no_thread(buffer: counters._Buffer) -> None:
    WEBHOOKS.inc("taken")
    counters.flush()
    assert (buffer._flusher, counters.drain()) == (None, {(WEBHOOKS.name, "taken"): 1.0})


@pytest.mark.parametrize(
    ("seconds", "bound"), [(0.0, "0.5"), (0.5, "0.5"), (0.51, "2.0"), (2.0, "2.0"), (2.01, "+Inf")]
)
def test_an_observation_counts_in_the_first_bucket_that_holds_it(
    seconds: float, bound: str, buffer: counters._Buffer
) -> None:
    Histogram("h", "", ("label",), (0.5, 2.0)).observe(seconds, "x")
    assert counters.drain() == {("h", "x", bound): 1.0, ("h", "x", "sum"): seconds}
