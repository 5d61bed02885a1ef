"""Which quarters are counted together, when each is counted again, and how a task spends its time."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from analytics.models import Bucket
from analytics.rollups import buckets
from analytics.rollups import sweep as sweeping
from analytics.rollups.buckets import Period, make_due, mark_period, recount, roll_up, waiting
from analytics.rollups.sweep import Swept
from messaging.models import Message
from tests.analytics.rollups.factories import EVER, NOON, outbound, rolled_up
from tests.messaging.lock_order import locks

pytestmark = pytest.mark.django_db
QUARTER = timedelta(minutes=15)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps follow each other at once."""
    monkeypatch.setattr(sweeping, "SEEN_FOR", timedelta(0))


def ticking(monkeypatch: pytest.MonkeyPatch, step: float, start: float = 0.0) -> None:
    """Each look at the clock is `step` seconds later than the one before."""
    times: Iterator[float] = (start + step * n for n in count())
    monkeypatch.setattr(buckets, "time", SimpleNamespace(monotonic=lambda: next(times)))


@pytest.mark.parametrize(
    ("more", "due", "done"),
    [
        (True, True, {"sweep": 5, "count": 4, "sum": 0}),  # half of the time reads the trail, the rest counts
        (False, True, {"sweep": 1, "count": 9, "sum": 0}),
        (True, False, {"sweep": 5, "count": 1, "sum": 3}),
        (False, False, {"sweep": 1, "count": 1, "sum": 8}),
    ],
)
def test_a_task_divides_its_time_among_the_trail_the_counts_and_the_sums(
    more: bool, due: bool, done: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"sweep": 0, "count": 0, "sum": 0}

    def do(kind: str, result: Any) -> Any:
        found[kind] += 1
        return result

    ticking(monkeypatch, 1.0)
    monkeypatch.setattr(buckets, "sweep", lambda: do("sweep", Swept(1, more)))
    monkeypatch.setattr(buckets, "recount", lambda: do("count", 2 * due))
    monkeypatch.setattr(buckets, "sum_day", lambda: do("sum", True))
    assert (roll_up(10.0), found) == (2 * due * done["count"], done)


def at(*quarters: int) -> list[datetime]:
    return [NOON + QUARTER * n for n in quarters]


def dirty(*starts: datetime, **facts: Any) -> None:
    now = timezone.now()
    for start in starts:
        Bucket.objects.create(start=start, **{"dirty_since": now, "due_at": now - timedelta(minutes=1), **facts})


def left() -> list[datetime]:
    return list(Bucket.objects.filter(dirty_since__isnull=False).order_by("start").values_list("start", flat=True))


def test_the_due_quarters_of_an_hour_are_counted_together() -> None:
    dirty(*at(-1, 0, 1, 3, 4))
    dirty(*at(2), due_at=timezone.now() + timedelta(hours=1))
    dirty(*at(5), dirty_since=None)
    Bucket.objects.filter(start=NOON + QUARTER).update(due_at=NOON)
    assert (recount(), left()) == (3, at(-1, 2, 4))
    assert (recount(), left()) == (1, at(2, 4))
    assert (recount(), recount(), left()) == (1, 0, at(2))


@pytest.mark.parametrize("hours", [(3, 1), (1, 3)], ids=str)
def test_of_quarters_that_wait_equally_long_the_earlier_is_counted_first(hours: tuple[int, int]) -> None:
    dirty(*(NOON + timedelta(hours=n) for n in hours), due_at=NOON)
    recount()
    assert left() == [NOON + timedelta(hours=3)]


def test_a_count_locks_quarters_by_start_and_waits_for_no_other_count() -> None:
    dirty(*at(0, 1))
    found = [one for one in locks(recount) if one.startswith("analytics_bucket ")]
    assert found[-1] == "analytics_bucket by start: UPDATE SKIP LOCKED"
    assert all("SKIP LOCKED" in one for one in found)


def test_a_counted_quarter_has_its_messages_duration_and_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for n in range(3):
        outbound(NOON, peer=f"1555123000{n}")
    mark_period(EVER)
    ticking(monkeypatch, 0.001, 1000.0)
    assert recount() == 1
    bucket = Bucket.objects.get()
    assert bucket.counted_at is not None
    # 40,000 times the millisecond from the beginning of the count to the look at the clock.
    assert (bucket.messages, bucket.took_ms, bucket.dirty_since) == (3, 2, None)
    assert bucket.due_at - bucket.counted_at == timedelta(seconds=40)


def test_the_next_count_of_a_young_quarter_waits_as_long_as_the_quarter_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    start = timezone.now() - timedelta(seconds=100)
    dirty(start)
    ticking(monkeypatch, 1.0)
    recount()
    bucket = Bucket.objects.get()
    assert bucket.counted_at is not None
    assert bucket.due_at - bucket.counted_at == bucket.counted_at - start


def test_a_count_keeps_the_figures_of_messages_that_retention_has_deleted() -> None:
    outbound(NOON)
    mark_period(EVER)
    recount()
    Message.objects.update(campaign="spring")
    mark_period(EVER)
    recount()
    assert [dims.campaign for _, dims in rolled_up()] == ["spring"]
    Message.objects.all().delete()
    Bucket.objects.update(dirty_since=NOON, due_at=NOON)
    assert (recount(), Bucket.objects.get().messages, len(rolled_up())) == (1, 1, 1)


def test_a_task_counts_quarters_of_several_hours() -> None:
    for hours in (0, 1, 2):
        outbound(NOON + timedelta(hours=hours))
    mark_period(EVER)
    assert roll_up() == 3


def test_the_waiting_quarters_of_a_period_are_its_dirty_ones() -> None:
    dirty(*at(-1, 0, 1, 2, 3))
    dirty(*at(4), dirty_since=None)
    assert [waiting(Period(*at(first, last))) for first, last in ((0, 2), (0, 5), (4, 5))] == [2, 4, 0]


def test_a_period_is_marked_to_its_end_and_no_further() -> None:
    for start in (*at(-1, 0), NOON + timedelta(days=1), NOON + timedelta(days=2), NOON + timedelta(days=2, minutes=15)):
        outbound(start)
    assert mark_period(Period(NOON, NOON + timedelta(days=2, minutes=15))) == 3
    assert left() == [NOON, NOON + timedelta(days=1), NOON + timedelta(days=2)]


def test_the_dirty_quarters_of_a_period_are_made_due() -> None:
    later = timezone.now() + timedelta(hours=1)
    dirty(*at(-1, 0, 1, 2), due_at=later)
    dirty(*at(-4), dirty_since=None, due_at=later)
    assert make_due(Period(*at(0, 2))) == 2
    assert list(Bucket.objects.filter(due_at__lt=later).order_by("start").values_list("start", flat=True)) == at(0, 1)
