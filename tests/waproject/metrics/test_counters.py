"""Counters in memory, and the thread that flushes them."""

from collections.abc import Mapping

import pytest

from waproject.metrics import counters
from waproject.metrics.counters import WEBHOOKS, Histogram, Series


@pytest.fixture
def buffer(monkeypatch: pytest.MonkeyPatch) -> counters._Buffer:
    """The counters of this test alone."""
    monkeypatch.setattr(counters, "_buffer", counters._Buffer())
    return counters._buffer


def test_one_daemon_thread_flushes_every_ten_seconds(buffer: counters._Buffer) -> None:
    stored: list[dict[Series, float]] = []

    def keep(sums: Mapping[Series, float]) -> None:
        stored.append(dict(sums))

    counters.start_flushing(keep)
    WEBHOOKS.inc("taken")
    flusher = buffer._flusher
    WEBHOOKS.inc("taken")
    assert flusher is not None and flusher.daemon and buffer._flusher is flusher
    assert (buffer._every, stored) == (10.0, [])
    counters.flush()
    counters.flush()
    assert stored == [{(WEBHOOKS.name, "taken"): 2.0}]


def test_a_process_without_a_store_keeps_its_counts_and_starts_no_thread(buffer: counters._Buffer) -> None:
    WEBHOOKS.inc("taken")
    counters.flush()
    assert (buffer._flusher, counters.drain()) == (None, {(WEBHOOKS.name, "taken"): 1.0})


@pytest.mark.parametrize(
    ("seconds", "bound"), [(0.0, "0.5"), (0.5, "0.5"), (0.51, "2.0"), (2.0, "2.0"), (2.01, "+Inf")]
)
@pytest.mark.usefixtures("buffer")
def test_an_observation_counts_in_the_first_bucket_that_holds_it(seconds: float, bound: str) -> None:
    Histogram("h", "", ("label",), (0.5, 2.0)).observe(seconds, "x")
    assert counters.drain() == {("h", "x", bound): 1.0, ("h", "x", "sum"): seconds}
