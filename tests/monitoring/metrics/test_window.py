"""Windows of samples: what counts as the last so many seconds."""

import pytest

from tests.monitoring.snapshots import window_at
from waproject.metrics.counters import Series

A: Series = ("a",)


@pytest.mark.parametrize(
    ("times", "last"),
    [
        ([0, 30, 60], [0, 30, 60]),
        ([0, 30, 60, 90], [30, 60, 90]),
        ([0, 29, 60, 90], [29, 60, 90]),
        ([0, 31, 60, 90], [0, 31, 60, 90]),
        ([0, 500, 530], [0, 500, 530]),
        ([7], [7]),
    ],
)
def test_the_last_minute_begins_with_the_sample_before_it(times: list[float], last: list[float]) -> None:
    found = window_at({time: {} for time in times}).last(60)
    assert [(snapshot.at - found[0].at).total_seconds() for snapshot in found] == [time - last[0] for time in last]


@pytest.mark.parametrize(
    ("times", "covered"),
    [([0, 30, 60], 60), ([0, 150], 150), ([0, 151], 0), ([0, 500, 530], 30), ([0, 500, 530, 589], 89), ([7], 0)],
)
def test_a_sample_from_before_a_gap_is_left_out(times: list[float], covered: float) -> None:
    assert window_at({time: {} for time in times}).covered_s(60) == covered


def test_an_increase_is_that_within_the_time_also_after_a_gap() -> None:
    samples = window_at({0: {A: 10}, 5000: {A: 70}, 5030: {A: 77}})
    assert (samples.increase(3600, "a"), samples.rate(3600, "a")) == (7, 7 / 30)


def test_increases_are_whole_numbers_by_label() -> None:
    samples = window_at({0: {("a", "x"): 1.2}, 30: {("a", "x"): 3.9, ("a", "y"): 2, ("b", "z"): 5}})
    assert samples.increases_by_label(60, "a") == {"x": 3, "y": 2}


@pytest.mark.parametrize(("seconds", "covers"), [(30, True), (31, False)])
def test_samples_cover_the_time_since_the_first(seconds: float, covers: bool) -> None:
    assert window_at({0: {}, 30: {}}).covers(seconds) is covers


def test_current_values_are_those_of_the_last_sample_by_label() -> None:
    samples = window_at({0: {("a", "x", "1"): 9}, 30: {("a", "x", "1"): 3, ("a", "y", "2"): 4, ("b", "z", "1"): 5}})
    assert samples.by_label("a") == {"x": 3, "y": 4}
    assert samples.by_label("a", second="1") == {"x": 3}
    assert (samples.value("a", "x", "1"), samples.value("a", "x")) == (3, None)


def test_one_sample_has_no_increase_and_no_rate() -> None:
    samples = window_at({0: {A: 10}})
    assert (samples.increase(60, "a"), samples.rate(60, "a"), samples.increases(60, "a")) == (0, 0, {A: 0})


def test_increases_are_by_series_of_the_metric() -> None:
    samples = window_at({0: {("a", "x"): 1}, 30: {("a", "x"): 4, ("a", "y"): 2, ("b", "z"): 5}})
    assert samples.increases(60, "a") == {("a", "x"): 3, ("a", "y"): 2}
