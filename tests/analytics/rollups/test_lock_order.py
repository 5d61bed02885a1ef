"""Counts, sums of days and marks at the same time: each transaction takes its locks in one order, so none deadlocks."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest
from django.db import Error, connection, transaction
from django.utils import timezone

from analytics.costs.budgets import make_quarters_due
from analytics.demo.removal import Removal
from analytics.models import Bucket, Day
from analytics.rollups import buckets, days
from analytics.rollups.buckets import make_due, mark_period, recount
from analytics.rollups.days import make_dirty, sum_day
from analytics.rollups.storage import count_day_views
from tests.analytics.rollups.factories import EVER, NOON, outbound
from tests.messaging.lock_order import holds_while_waiting, is_waited_for
from tests.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
MIDNIGHT = NOON - timedelta(hours=12)
# A day of India's time zone, which begins before that of UTC and ends within it.
INDIAN_DAY = MIDNIGHT - timedelta(hours=5, minutes=30)
COUNTS = "SELECT pg_advisory_xact_lock_shared(hashtext('analytics days'))"
NEW_DIMENSIONS = "SELECT pg_advisory_xact_lock(hashtext('analytics dimensions'))"


@pytest.fixture(autouse=True)
def no_count_fails(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """One that loses a deadlock is postponed, with a line in the log."""
    yield
    assert [one.getMessage() for one in caplog.get_records("call") if "a count failed" in one.getMessage()] == []


def counted() -> None:
    """A message of a day that is over, counted; the day waits for its sums, whose dimensions are new."""
    outbound()
    mark_period(EVER)
    while recount():
        pass
    Day.objects.update(due_at=NOON)


class Paused:
    """Stops a function before its call, until `go`."""

    def __init__(self, function: Callable[..., object]) -> None:
        self._function, self._go, self.reached = function, threading.Event(), threading.Event()

    def __call__(self, *args: object, **options: object) -> object:
        self.reached.set()
        assert self._go.wait(PATIENCE_S)
        return self._function(*args, **options)

    def go(self) -> None:
        self._go.set()


class Work(threading.Thread):
    """A thread with a connection of its own, and the database error that ended it."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__()
        self._work, self.pid = work, 0
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                (self.pid,) = cursor.fetchone()
            self._work()
        except Error as error:
            self.error = error
        finally:
            connection.close()

    def waits_for_a_lock(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [self.pid])
            return bool(cursor.fetchone()[0])

    def has_met_a_lock_or_ended(self) -> bool:
        return not self.is_alive() or self.waits_for_a_lock()


def test_a_count_before_its_day_and_the_sum_of_that_day_do_not_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    counted()
    outbound(template="new dimensions")
    mark_period(EVER)
    paused = Paused(make_dirty)
    monkeypatch.setattr(buckets, "make_dirty", paused)
    count = Work(recount)
    assert paused.reached.wait(PATIENCE_S)
    summing = Work(sum_day)
    assert eventually(summing.has_met_a_lock_or_ended, every=0.01)
    paused.go()
    count.join()
    summing.join()
    assert (count.error, summing.error) == (None, None)


def test_the_sum_of_a_day_before_its_dimensions_and_a_count_of_that_day_do_not_deadlock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted()
    outbound(template="new dimensions")
    mark_period(EVER)
    paused = Paused(count_day_views)
    monkeypatch.setattr(days, "count_day_views", paused)
    summing = Work(sum_day)
    assert paused.reached.wait(PATIENCE_S)
    count = Work(recount)
    assert eventually(count.has_met_a_lock_or_ended, every=0.01)
    paused.go()
    summing.join()
    count.join()
    assert (count.error, summing.error) == (None, None)


def test_the_sum_of_a_day_waits_for_new_dimensions_before_it_locks_the_day() -> None:
    counted()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(NEW_DIMENSIONS)
        summing = Work(sum_day)
        assert eventually(is_waited_for, every=0.01)
        free = list(Day.objects.select_for_update(skip_locked=True))
    summing.join()
    assert (len(free), summing.error) == (1, None)


def test_no_day_to_sum_up_waits_for_nothing() -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(NEW_DIMENSIONS)
        summing = Work(sum_day)
        summing.join(PATIENCE_S)
        waited = summing.is_alive()
    summing.join()
    assert not waited


def test_a_count_locks_days_of_all_time_zones_by_their_beginning() -> None:
    earlier, later = (Day.objects.create(start=start, dirty_since=None) for start in (INDIAN_DAY, MIDNIGHT))

    def work() -> None:
        with transaction.atomic():
            make_dirty([MIDNIGHT], [])

    assert not holds_while_waiting(work, earlier, later)


def test_charges_of_a_day_that_another_count_adds_wait_for_that_day() -> None:
    def work() -> None:
        with transaction.atomic():
            make_dirty([MIDNIGHT], [MIDNIGHT + DAY])

    with transaction.atomic():
        make_dirty([MIDNIGHT + DAY], [])
        marking = Work(work)
        waits = eventually(is_waited_for, every=0.01)
    marking.join()
    assert (waits, marking.error) == (True, None)


@pytest.mark.parametrize(
    "work", [partial(make_due, EVER), partial(make_quarters_due, timezone.now())], ids=["rebuild", "budgets"]
)
def test_quarters_are_made_due_by_their_beginning(work: Callable[[], object]) -> None:
    begun = timezone.now() - timedelta(hours=3)
    late = begun + timedelta(hours=2)
    # A table is read in the order of its rows: the later one comes first.
    later, earlier = (
        Bucket.objects.create(start=start, dirty_since=begun, counted_at=begun, due_at=timezone.now() + DAY)
        for start in (late, begun)
    )
    assert not holds_while_waiting(work, earlier, later)


@pytest.mark.parametrize("lock", [COUNTS, NEW_DIMENSIONS], ids=["counts", "sums"])
def test_the_removal_of_demonstration_data_waits_for_counts_and_sums(lock: str) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(lock)
        removing = Work(lambda: list(Removal().days()))
        assert eventually(is_waited_for, every=0.01)
    removing.join()
    assert removing.error is None
