"""The window of pages: the last hour's samples, and readings of now."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from monitoring.metrics import current, gauges, samples, totals
from monitoring.metrics.gauges import Readings
from waproject.metrics.counters import Series

pytestmark = pytest.mark.django_db
AGE: Series = ("waproject_queue_oldest_seconds", "incoming")
WAITING: Series = ("waproject_queue_messages", "incoming", "waiting")


@pytest.fixture(autouse=True)
def readings(monkeypatch: pytest.MonkeyPatch) -> Readings:
    """What the gauges read now, and under `before` what they were given."""
    found: Readings = {("waproject_sqs_up",): 1.0}
    monkeypatch.setattr(gauges, "read", lambda before: {**found, **{("before", *key): v for key, v in before.items()}})
    return found


def store(**values: float) -> None:
    """Samples so many seconds ago: `s60=1` is a sample of a minute ago in which `x` was 1."""
    for name, value in values.items():
        samples.store(timezone.now() - timedelta(seconds=float(name[1:])), {("x",): value})


def test_a_window_ends_with_the_readings_and_the_totals_of_now() -> None:
    totals.add({("only_here",): 7})
    store(s60=1, s30=2)
    now = current.window().snapshots[-1]
    assert (now.get("waproject_sqs_up"), now.get("only_here"), now.get("before", "x")) == (1.0, 7.0, 2.0)
    assert 30 <= (now.get("waproject_sample_age_seconds") or 0) < 60


def test_without_samples_a_window_is_one_snapshot_without_an_age() -> None:
    (now,) = current.window().snapshots
    assert now.get("waproject_sample_age_seconds") is None
    assert now.get("waproject_sqs_up") == 1.0


def test_a_window_has_the_samples_of_an_hour_and_every_one_of_the_last_six_minutes() -> None:
    ages = [*range(0, 360, 30), *range(390, 3700, 30)]
    for age in ages:
        samples.store(timezone.now() - timedelta(seconds=age + 1), {("x",): float(age)})
    shown = [shot.values["x",] for shot in current.window().snapshots[:-1]]
    recent, older = [age for age in shown if age < 355], [age for age in shown if age > 365]
    assert recent == [*range(330, -1, -30)]
    assert 50 <= len(older) <= 62 and older == sorted(older, reverse=True)
    assert 3600 <= older[0] <= 3690


def test_a_sample_older_than_six_minutes_is_shown_although_there_is_no_newer_one() -> None:
    store(s900=5)
    assert [shot.get("x") for shot in current.window().snapshots] == [5.0, None]


@pytest.mark.parametrize(
    ("estimate", "waiting", "age"),
    [(100.0, 3.0, 130.0), (100.0, 0.0, 0.0), (0.0, 3.0, 0.0)],
    ids=["waits", "is empty now", "was empty"],
)
def test_the_age_of_a_queue_goes_on_since_the_monitor_estimated_it(
    estimate: float, waiting: float, age: float, *, readings: Readings
) -> None:
    samples.store(timezone.now() - timedelta(seconds=30), {AGE: estimate})
    readings[WAITING] = waiting
    found = current.window().snapshots[-1].get(*AGE)
    assert found is not None and age <= found < age + 20


def test_a_window_is_made_once_in_four_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []
    put = cache.set

    def keep(*given: Any) -> None:
        kept.append(given)
        put(*given)

    monkeypatch.setattr(cache, "set", keep)
    first = current.window()
    second = current.window()
    assert (first, kept) == (second, [("monitoring-window", first, 4)])


def test_the_buckets_of_tasks_are_not_in_a_window() -> None:
    totals.add({("waproject_task_seconds", "only-here", "ok", "0.1"): 2})
    now = current.window().snapshots[-1]
    assert now.get("waproject_task_seconds", "only-here", "ok", "count") == 2
    assert now.get("waproject_task_seconds", "only-here", "ok", "0.1") is None
