"""Samples: storage, downsampling, increases and estimates."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from monitoring.metrics import samples
from monitoring.metrics.backlog_age import Level, oldest_age
from monitoring.metrics.quantiles import quantile
from monitoring.models import Sample
from tests.monitoring.snapshots import at, window

NOW = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)


def fill(days: float, every_s: int = 30) -> None:
    """Samples as the monitor stores them, up to now."""
    first = NOW - timedelta(days=days)
    times = [first + timedelta(seconds=n * every_s) for n in range(int(days * 86400 / every_s) + 1)]
    buckets: set[float] = set()
    rows = []
    for moment in times:
        bucket = moment.timestamp() // samples.COARSE_EVERY_S
        rows.append(Sample(at=moment, values={}, coarse=bucket not in buckets))
        buckets.add(bucket)
    Sample.objects.bulk_create(rows)


@pytest.mark.django_db
def test_one_sample_in_five_minutes_is_coarse() -> None:
    for n in range(21):
        samples.store(NOW + timedelta(seconds=30 * n), {})
    assert Sample.objects.filter(coarse=True).count() == 3


@pytest.mark.django_db
def test_samples_are_downsampled_after_a_day_and_deleted_after_eight() -> None:
    fill(9, every_s=150)
    samples.downsample(NOW)
    assert Sample.objects.filter(at__lt=NOW - timedelta(days=1)).count() == 7 * 288
    assert Sample.objects.filter(at__lt=NOW - timedelta(days=8)).count() == 0
    assert Sample.objects.filter(at__gte=NOW - timedelta(days=1)).count() == 577


@pytest.mark.django_db
def test_a_sample_is_read_as_it_was_stored() -> None:
    taken = samples.store(NOW, {("waproject_queue_messages", "incoming", "waiting"): 3.0, ("waproject_sqs_up",): 1.0})
    assert samples.latest() == taken


@pytest.mark.django_db
def test_a_sample_keeps_only_count_and_sum_of_task_histograms() -> None:
    name = "waproject_task_seconds"
    other = ("waproject_send_latency_seconds", "normal", "0.1")
    taken = samples.store(
        NOW, {(name, "t", "ok", "0.1"): 2, (name, "t", "ok", "+Inf"): 1, (name, "t", "ok", "sum"): 9, other: 4}
    )
    assert taken == samples.Snapshot(NOW, {(name, "t", "ok", "count"): 3, (name, "t", "ok", "sum"): 9, other: 4})
    assert Sample.objects.get().values == {
        f"{name}/t/ok/count": 3, f"{name}/t/ok/sum": 9, "waproject_send_latency_seconds/normal/0.1": 4,
    }  # fmt: skip


@pytest.mark.django_db
def test_a_stored_reading_has_three_digits_after_the_point() -> None:
    samples.store(NOW, {("a",): 1.23456})
    assert Sample.objects.get().values == {"a": 1.235}


@pytest.mark.django_db
def test_samples_are_read_from_a_time_on_the_oldest_first() -> None:
    assert (samples.latest(), samples.since(NOW)) == (None, [])
    for seconds in (60, 0, 30, -1):
        samples.store(NOW + timedelta(seconds=seconds), {("a",): seconds})
    assert [shot.get("a") for shot in samples.since(NOW)] == [0, 30, 60]
    assert samples.latest() == samples.Snapshot(NOW + timedelta(seconds=60), {("a",): 60.0})


@pytest.mark.parametrize(
    ("values", "increase", "rate"),
    [
        ([], None, None),
        ([(0, 5)], None, None),
        ([(0, 5), (10, 25)], 20, 2),
        ([(0, 5), (0, 25)], 20, None),
        ([(0, 25), (10, 5)], 0, 0),
        ([(0, 5), (10, 99), (20, 6)], 1, 0.05),
        ([(0, 0), (1, 3)], 3, 3),
    ],
    ids=["none", "one", "two", "at one time", "a restart", "the first and the last", "from nothing"],
)
def test_an_increase_needs_two_snapshots_and_a_rate_time_between_them(
    values: list[tuple[float, float]], increase: float | None, rate: float | None
) -> None:
    shots = [samples.Snapshot(at(seconds), {("a", "x"): value}) for seconds, value in values]
    assert (samples.increase(shots, "a", "x"), samples.rate(shots, "a", "x")) == (increase, rate)


def test_the_series_of_a_metric_are_those_of_the_last_snapshot() -> None:
    shots = window({("a", "old"): 1}, {("a", "y"): 1, ("b", "z"): 1, ("a", "x"): 1}).snapshots
    assert (samples.series_of(shots, "a"), samples.series_of([], "a")) == ([("a", "x"), ("a", "y")], [])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("span", "points", "ages"),
    [
        (timedelta(minutes=2, seconds=10), 60, [120, 90, 60, 30, 0]),
        (timedelta(minutes=2, seconds=10), 3, [120, 90, 60, 30, 0]),
        (timedelta(minutes=2, seconds=10), 2, [120, 60, 0]),
        (timedelta(minutes=2, seconds=10), 1, [0]),
        (timedelta(hours=12), 10, [1200, 1080, 960, 840, 720, 600, 480, 360, 240, 120, 0]),
        (timedelta(hours=12, seconds=1), 10, [1200, 900, 600, 300, 0]),
        (timedelta(days=7), 2, [1200, 600, 0]),
    ],
    ids=["all", "a little more", "every second", "one", "half a day", "longer: coarse ones", "every second coarse one"],
)
def test_a_history_is_evenly_spread_and_ends_with_the_newest_sample(
    span: timedelta, points: int, ages: list[int]
) -> None:
    now = timezone.now()
    Sample.objects.bulk_create(
        Sample(at=now - timedelta(seconds=age), values={"a": age}, coarse=age % 300 == 0) for age in range(0, 1201, 30)
    )
    assert [shot.get("a") for shot in samples.history(span, points)] == ages


@pytest.mark.django_db
def test_a_history_reads_the_values_of_no_sample_that_it_does_not_show() -> None:
    for seconds in (0, 30, 60):
        samples.store(timezone.now() - timedelta(seconds=seconds), {("a",): seconds})
    with CaptureQueriesContext(connection) as made:
        samples.history(timedelta(minutes=5), 1)
    assert ['"values"' in query["sql"] for query in made] == [False, True]


def test_a_new_counter_starts_at_zero() -> None:
    assert window({}, {("a",): 4}).increase(60, "a") == 4


def test_a_rate_uses_the_time_between_the_snapshots() -> None:
    assert window({("a",): 10}, {("a",): 40}).rate(30, "a") == 1


@pytest.mark.parametrize(
    ("levels", "age"),
    [
        ([], 0),
        ([(5, 0)], 0),
        ([(0, 0), (5, 0), (5, 0), (5, 0)], 60),
        ([(5, 0), (5, 5), (5, 10)], 0),
        ([(10, 0), (10, 5), (10, 8)], 60),
        ([(5, 0), (0, 4), (3, 4)], 0),
        ([(5, 0), (5, 0), (0, 5)], 0),
    ],
    ids=["no samples", "new", "stands still", "a queue's length each tick", "slow", "was empty since", "empty now"],
)
def test_the_age_of_the_oldest_message_is_estimated(levels: list[tuple[float, float]], age: float) -> None:
    assert oldest_age([Level(at(n * 30), held, deleted) for n, (held, deleted) in enumerate(levels)]) == age


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30))
def test_the_estimate_is_never_above_the_true_age_of_a_queue_in_order(ticks: list[tuple[int, int]]) -> None:
    queue: list[int] = []
    deleted, levels = 0, []
    for n, (come, go) in enumerate(ticks):
        queue += [n] * come
        deleted += min(go, len(queue))
        queue = queue[go:]
        levels.append(Level(at(n * 30), len(queue), deleted))
    true_age = (len(ticks) - 1 - queue[0]) * 30 if queue else 0
    assert oldest_age(levels) == true_age


@pytest.mark.parametrize(
    ("share", "counts", "value"),
    [
        (0.5, {}, None),
        (0.5, {"1.0": 10}, 0.5),
        (0.5, {"1.0": 1, "2.0": 1}, 1.0),
        (0.95, {"1.0": 90, "2.0": 10}, 1.5),
        (0.95, {"+Inf": 3}, 2.0),
        (1.0, {"1.0": 10}, 1.0),
        (0.5, {"2.0": 4}, 1.5),
        (0.25, {"1.0": 1, "2.0": 1, "other": 9}, 0.5),
        (0.75, {"1.0": 2, "+Inf": 2}, 2.0),
    ],
    ids=[
        "nothing",
        "inside one bucket",
        "at a bound",
        "in the second",
        "beyond the last",
        "the largest",
        "with an empty one before",
        "of other bounds",
        "between the last and beyond",
    ],
)
def test_a_quantile_lies_in_its_bucket(share: float, counts: dict[str, float], value: float | None) -> None:
    assert quantile(share, (1.0, 2.0), counts) == value
