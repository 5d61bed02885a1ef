"""The sweep of the trail misses no row, and two workers share the work."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from analytics.models import Bucket, Cursor, Day
from analytics.rollups import buckets
from analytics.rollups import sweep as sweeping
from analytics.rollups.buckets import recount, roll_up
from analytics.rollups.days import sum_day
from analytics.rollups.quarters import day_of, quarter_of
from analytics.rollups.sweep import Swept, sweep, sweep_standstill_s
from messaging.models import MessageEvent
from tests.analytics.costs.factories import charge
from tests.analytics.rollups.factories import EVER, NOON, inbound, outbound, read_trail, recounted, rolled_up, settle
from tests.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.django_db(transaction=True)
FAILED = "a count failed"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps follow each other at once."""
    monkeypatch.setattr(sweeping, "SEEN_FOR", timedelta(0))


class Elsewhere:
    """A connection of its own that works step by step."""

    def __init__(self, *steps: Callable[[], Any]) -> None:
        self._go = [threading.Event() for _ in steps]
        self._done = [threading.Event() for _ in steps]
        self._thread = threading.Thread(target=self._run, args=(steps,))
        self._thread.start()

    def _run(self, steps: tuple[Callable[[], Any], ...]) -> None:
        try:
            with transaction.atomic():
                for go, done, step in zip(self._go, self._done, steps, strict=True):
                    go.wait(PATIENCE_S)
                    step()
                    done.set()
        finally:
            connection.close()

    def step(self, n: int) -> None:
        self._go[n].set()
        assert self._done[n].wait(PATIENCE_S)

    def end(self) -> None:
        self._go[-1].set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()


@pytest.fixture
def late() -> Iterator[Elsewhere]:
    """A transaction that writes a message, and commits on request."""
    first = outbound()  # the number's row is there
    other = Elsewhere(lambda: outbound(NOON - timedelta(hours=5), "15559990000", number=first.number), lambda: None)
    yield other
    other.end()


def test_a_row_whose_transaction_commits_late_is_read_all_the_same(late: Elsewhere) -> None:
    late.step(0)
    outbound(NOON + timedelta(hours=1), "15551230003")
    read_trail()
    before = Bucket.objects.count()
    late.end()
    read_trail()
    assert (before, Bucket.objects.count()) == (0, 3)


def test_rows_before_a_running_transaction_began_are_read(late: Elsewhere) -> None:
    read_trail()
    late.step(0)
    assert Bucket.objects.count() == 1


def test_the_cursor_never_passes_an_id_that_may_still_appear(late: Elsewhere) -> None:
    late.step(0)
    lowest_missing = MessageEvent.objects.order_by("-id").values_list("id", flat=True)[0] + 1
    for _ in range(5):
        outbound(NOON, "15551230004")
        sweep()
    assert Cursor.objects.get(name=sweeping.CURSOR).position < lowest_missing


def test_a_long_reading_transaction_holds_nothing_up() -> None:
    outbound()
    reader = Elsewhere(MessageEvent.objects.count, lambda: None)
    reader.step(0)
    read_trail()
    reader.end()
    assert Bucket.objects.count() == 1


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_a_backlog_is_read_in_steps(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "ROWS", rows)
    for n in range(5):
        outbound(NOON + timedelta(hours=n), f"1555123000{n}")
    read_trail()
    assert (Bucket.objects.count(), Cursor.objects.get().position) == (5, MessageEvent.objects.latest("id").pk)


@pytest.mark.parametrize(
    ("rows", "steps"),
    [
        (2, [Swept(2, more=True), Swept(1, more=False)]),
        (3, [Swept(3, more=False)]),
        (4, [Swept(3, more=False)]),
        (1, [Swept(1, more=True), Swept(1, more=True), Swept(1, more=False)]),
    ],
)
def test_a_sweep_says_how_much_it_read_and_whether_more_is_there(
    rows: int, steps: list[Swept], monkeypatch: pytest.MonkeyPatch
) -> None:
    outbound()
    read_trail()
    monkeypatch.setattr(sweeping, "ROWS", rows)
    for n in range(3):
        outbound(NOON, f"1555123000{n}")
    assert sweep() == Swept(0, more=False)
    assert [sweep() for _ in steps] == steps
    cursor = Cursor.objects.get()
    assert (cursor.mark_id, cursor.mark_xid, sweep()) == (None, None, Swept(0, more=False))


def test_a_second_sweep_at_the_same_time_reads_nothing() -> None:
    outbound()
    Cursor.objects.create(name=sweeping.CURSOR)
    held = Elsewhere(lambda: Cursor.objects.select_for_update().get(name=sweeping.CURSOR), lambda: None)
    held.step(0)
    assert sweep() == Swept(0, more=False)
    held.end()


@pytest.mark.parametrize(("after_s", "reads"), [(1.999, False), (2.0, True)])
def test_a_sweep_reads_what_another_saw_two_seconds_earlier(
    after_s: float, reads: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "SEEN_FOR", timedelta(seconds=2))
    outbound()
    now = timezone.now()
    monkeypatch.setattr(sweeping, "timezone", SimpleNamespace(now=lambda: now))
    sweep()
    now += timedelta(seconds=after_s)
    assert (sweep().rows > 0) is reads


def test_rows_that_came_during_another_transaction_are_read_by_the_first_sweep_after_it(late: Elsewhere) -> None:
    read_trail()
    late.step(0)
    sweep()
    outbound(NOON, "15551230005")
    sweep()
    sweep()
    late.end()
    assert sweep().rows > 0


def test_what_a_user_writes_makes_the_quarter_of_what_it_answers_dirty() -> None:
    outbound(NOON - timedelta(hours=20), status="delivered")
    settle()
    inbound(NOON)
    settle()
    assert rolled_up() == recounted()[0]
    assert [values[5] for (start, _), values in rolled_up().items() if start < NOON] == [1]


def test_two_workers_never_count_one_quarter_at_once() -> None:
    outbound()
    read_trail()
    counting = Elsewhere(lambda: recount(EVER), lambda: None)
    counting.step(0)
    assert recount(EVER) == 0
    counting.end()
    assert rolled_up() == recounted()[0]


def test_a_change_while_a_quarter_is_counted_makes_it_dirty_again() -> None:
    outbound()
    read_trail()
    counting = Elsewhere(lambda: recount(EVER), lambda: None)
    counting.step(0)
    outbound(NOON, "15551230005")
    for _ in range(2):
        sweep()

    def mark() -> None:
        sweep()
        connection.close()

    marking = threading.Thread(target=mark)
    marking.start()
    counting.end()
    marking.join(PATIENCE_S)
    assert eventually(lambda: Bucket.objects.get().dirty_since is not None)
    settle()
    assert rolled_up() == recounted()[0]


def test_many_workers_at_the_quarters_of_one_hour_end_in_right_sums() -> None:
    for minute in range(0, 60, 5):
        outbound(NOON + timedelta(minutes=minute), f"155512300{minute:02d}", campaign=f"c{minute % 15}")
    read_trail()

    def work() -> None:
        try:
            while recount(EVER):
                pass
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert sum(values[0] for values in rolled_up(60).values()) == 12
    assert rolled_up() == recounted()[0]


def test_workers_that_store_the_same_new_dimensions_do_not_wait_for_each_other_in_a_circle(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for hour in (0, 1):
        for n in range(20):
            # Alike in both hours, and first stored by other quarters: 1 to 20 by one worker, 20 to 1 by the other.
            minute = (n if hour else 19 - n) // 5 * 15
            outbound(NOON + timedelta(hours=hour, minutes=minute), f"15551230{hour}{n:02d}", campaign=f"c{n}")
    read_trail()
    failed: list[Exception] = []

    def work() -> None:
        try:
            while recount(EVER):
                pass
        except OperationalError as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    # A count that loses a deadlock is postponed.
    assert (failed, FAILED in caplog.text) == ([], False)
    assert rolled_up() == recounted()[0]


def test_a_new_message_is_counted_before_old_quarters_that_wait_longer() -> None:
    now = timezone.now()
    for age in (timedelta(0), timedelta(days=2), timedelta(days=1)):
        outbound(now - age)
        Bucket.objects.create(start=quarter_of(now - age), dirty_since=now - age, due_at=now - age)
    order = []
    while recount():
        order.append(Bucket.objects.exclude(counted_at=None).latest("counted_at").start)
    assert order == [quarter_of(now - timedelta(days=age)) for age in (0, 2, 1)]


REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW WHEN (NEW.start = %s) EXECUTE FUNCTION refuse();
"""


def refuse(table: str, start: datetime) -> None:
    """From now on PostgreSQL stores no row of this time in the table."""
    with connection.cursor() as cursor:
        cursor.execute(REFUSE.format(table=table), [start])


@pytest.mark.django_db
@pytest.mark.parametrize("others", [(0, 30, 75), (0,)])
def test_a_quarter_that_cannot_be_counted_keeps_no_other_from_its_turn(
    others: tuple[int, ...], caplog: pytest.LogCaptureFixture
) -> None:
    quarters = [NOON + timedelta(minutes=minutes) for minutes in (others[0], 15, *others[1:])]
    for quarter in quarters:
        outbound(quarter)
    read_trail()
    refuse("analytics_rollup", quarters[1])
    while recount(EVER):
        pass
    left = Bucket.objects.get(dirty_since__isnull=False)
    assert ({start for start, _ in rolled_up()}, left.start) == ({*quarters} - {quarters[1]}, quarters[1])
    assert (left.due_at > timezone.now(), FAILED in caplog.text) == (True, True)
    assert left.counted_at is not None
    assert sum(values[0] for values in rolled_up(60).values()) == len(others)


@pytest.mark.django_db
def test_a_day_that_cannot_be_summed_up_keeps_no_other_from_its_turn() -> None:
    days = [day_of(NOON) - timedelta(days=n) for n in (2, 1)]
    for day in days:
        outbound(day)
    settle()
    refuse("analytics_daycharge", days[0])
    charge(days[0])
    while sum_day():
        pass
    assert list(Day.objects.filter(dirty_since__isnull=False).values_list("start", flat=True)) == [days[0]]


def test_the_task_stops_after_its_share_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    outbound()
    read_trail()
    assert (roll_up(budget_s=0.0), roll_up(budget_s=5.0)) == (0, 1)


def test_the_task_reads_and_counts() -> None:
    outbound()
    for _ in range(3):
        roll_up()
    assert sum(values[0] for values in rolled_up().values()) == 1
    assert buckets.BUDGET_S < 15  # beat's interval


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def test_a_sweep_that_waits_for_an_open_transaction_stands_still_until_it_ends() -> None:
    outbound()
    read_trail()
    assert sweep_standstill_s() == 0
    Cursor.objects.update(moved_at=ago(700))
    writing = Elsewhere(lambda: inbound(peer="15551230002"), lambda: None)
    writing.step(0)
    late = outbound(peer="15551230003")
    MessageEvent.objects.filter(message=late).update(recorded_at=ago(650))
    read_trail()
    assert sweep_standstill_s() == pytest.approx(650, abs=60)
    writing.end()
    read_trail()
    assert (sweep_standstill_s(), Cursor.objects.filter(moved_at__gt=ago(60)).count()) == (0, 1)


@pytest.mark.parametrize(("moved", "recorded", "standstill"), [(900, 300, 300), (300, 900, 300), (None, 900, 900)])
def test_a_standstill_begins_with_the_last_move_or_the_first_unread_row(
    moved: float | None, recorded: float, standstill: float
) -> None:
    outbound()
    MessageEvent.objects.update(recorded_at=ago(recorded))
    Cursor.objects.create(name="rollups", position=0, moved_at=ago(moved) if moved else None)
    assert sweep_standstill_s() == pytest.approx(standstill, abs=60)


def test_nothing_stands_still_before_the_first_sweep() -> None:
    outbound()
    assert sweep_standstill_s() == 0
