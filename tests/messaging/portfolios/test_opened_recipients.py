"""The recipients that count against a messaging limit: exactly, in a moving window, with any number of dispatchers."""

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections, transaction
from django.db.models.functions import TruncMinute
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import messaging.outgoing.release as release_module
from messaging.accepting.accept import NewMessage, accept
from messaging.models import BusinessNumber, Message, OpenedCount, OpenedRecipient, Portfolio
from messaging.outgoing.holds.messaging_limit import sweep_messaging_limits
from messaging.outgoing.release import release
from messaging.portfolios import assign_portfolio, move_windows
from messaging.portfolios.budget import COUNTED_FOR, WINDOW, counted_from
from messaging.portfolios.opened_recipients import (
    Count,
    Opening,
    Rejection,
    Usage,
    count_expression,
    lock_count,
    uncount_openings,
    usage_of,
)
from tests.messaging.factories import number, pending
from tests.messaging.portfolios.limited_portfolio import holds, let_time_pass, limited, release_all

MINUTE = timedelta(minutes=1)


def counted_by_rows() -> tuple[int, dict[datetime, int]]:
    """The count and the counts by minute that the rows of recipients give."""
    start = Portfolio.objects.get().counted_from
    minutes: dict[datetime, int] = {}
    counted = OpenedRecipient.objects.filter(opened_at__gte=start).annotate(minute=TruncMinute("opened_at"))
    for minute in counted.values_list("minute", flat=True):
        minutes[minute] = minutes.get(minute, 0) + 1
    return sum(minutes.values()), minutes


def counted_by_minutes() -> tuple[int, dict[datetime, int]]:
    counts = dict(OpenedCount.objects.exclude(recipients=0).values_list("minute", "recipients"))
    return Portfolio.objects.get().opened, counts


@pytest.mark.slow("releases messages in forty random steps")
@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(6))
def test_in_any_24_hours_no_more_recipients_are_opened_than_the_limit(seed: int) -> None:
    chance = random.Random(seed)
    limit = chance.choice([1, 3, 10])
    portfolio = limited(limit)
    passed, sent = timedelta(), []
    for _ in range(40):
        for _ in range(chance.randrange(6)):
            pending(peer=f"1555000{chance.randrange(40):04}", priority=chance.choice([0, 5, 9]))
        sweep_messaging_limits()
        peers = Message.objects.filter(pk__in=release_all()).values_list("peer", flat=True)
        sent += [(passed, peer) for peer in peers]
        assert counted_by_minutes() == counted_by_rows()
        day = {peer for at, peer in sent if passed - at <= WINDOW}
        assert len(day) <= limit
        counted = {peer for at, peer in sent if passed - at <= COUNTED_FOR}
        move_windows()
        portfolio.refresh_from_db()
        assert portfolio.opened == len(counted)
        step = MINUTE * chance.choice([0, 1, 30, 400, 1000])
        passed += step
        let_time_pass(step)
    assert sent


@pytest.mark.django_db
def test_another_message_to_a_recipient_counts_no_second_time_and_lets_the_recipient_count_longer() -> None:
    portfolio = limited(10)
    pending(peer="15550000001")
    release_all()
    let_time_pass(WINDOW - MINUTE)
    pending(peer="15550000001")
    release_all()
    let_time_pass(10 * MINUTE)
    move_windows()
    portfolio.refresh_from_db()
    assert (portfolio.opened, counted_by_minutes()) == (1, counted_by_rows())


@pytest.mark.django_db
def test_an_unlimited_portfolio_is_counted_too() -> None:
    portfolio = limited(None)
    pending(20)
    release_all()
    portfolio.refresh_from_db()
    assert portfolio.opened == 20


@pytest.mark.django_db
def test_recipients_that_count_no_longer_are_deleted() -> None:
    portfolio = limited(None)
    pending(3)
    release_all()
    let_time_pass(COUNTED_FOR + 2 * MINUTE)
    before = counted_from(timezone.now())
    move_windows()
    portfolio.refresh_from_db()
    assert (portfolio.opened, OpenedRecipient.objects.count(), OpenedCount.objects.count()) == (0, 0, 0)
    assert before <= portfolio.counted_from <= counted_from(timezone.now())


@pytest.mark.parametrize(("message", "left"), [(0, 1), (1, 2)], ids=["the message that counted", "another one"])
@pytest.mark.django_db
def test_a_recipient_whose_only_message_is_rejected_does_not_count(message: int, left: int) -> None:
    limited(10)
    rows = pending(2)
    release_all()
    uncount_openings([Rejection(rows[0].number_id, rows[0].peer, rows[message].pk)])
    assert (Portfolio.objects.get().opened, counted_by_minutes()) == (left, counted_by_rows())


@pytest.mark.django_db
def test_rejections_lock_the_count_before_they_change_it() -> None:
    limited(10)
    (row,) = pending()
    with CaptureQueriesContext(connection) as queries:
        uncount_openings([Rejection(row.number_id, row.peer, row.pk)])
    (lock,) = [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"]]
    assert f"ANY(ARRAY[{row.number_id}])" in lock.replace("'{", "ARRAY[").replace("}'", "]")


@pytest.mark.django_db
def test_a_locked_count_has_the_limit_and_who_counts_now() -> None:
    portfolio = limited(10)
    Portfolio.objects.update(opened=3, counted_from=timezone.now() - timedelta(days=3))
    OpenedCount.objects.create(portfolio=portfolio, minute=timezone.now() - timedelta(hours=25), recipients=2)
    before = counted_from(timezone.now())
    with transaction.atomic(), connection.cursor() as cursor:
        count = lock_count(cursor, portfolio.pk)
    assert count == Count(portfolio.pk, 10, 1, count.counted_from)
    assert before <= count.counted_from <= counted_from(timezone.now())


@pytest.mark.django_db
def test_a_window_is_moved_once_a_minute() -> None:
    now = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)
    portfolio = limited(10)
    Portfolio.objects.update(counted_from=counted_from(now))

    def at_noon(run: Any, sql: str, *rest: Any) -> Any:
        return run(sql.replace("statement_timestamp()", f"'{now}'::timestamptz"), *rest)

    with CaptureQueriesContext(connection) as made, connection.execute_wrapper(at_noon), connection.cursor() as cursor:
        lock_count(cursor, portfolio.pk)
    assert made.captured_queries
    assert [query["sql"] for query in made if "UPDATE messaging_portfolio" in query["sql"]] == []


def test_openings_are_counted_in_the_order_of_their_recipients() -> None:
    one, two = UUID(int=1), UUID(int=2)
    assert count_expression(7, [Opening("b", one), Opening("a", two)])[1] == {
        "portfolio": 7, "opened_peers": ["a", "b"], "opened_ids": [two, one],
    }  # fmt: skip
    assert count_expression(7, []) == ("NULL::integer[]", {})


@pytest.mark.parametrize(("value", "usage"), [(None, None), ([250, 3], Usage(250, 3)), ([None, 3], Usage(None, 3))])
def test_the_counted_value_has_the_limit_and_the_count(value: list[int | None] | None, usage: Usage | None) -> None:
    assert usage_of(value) == usage


def at_once(works: list[Callable[[], object]]) -> None:
    """Run these in threads of their own."""

    def run(work: Callable[[], object]) -> None:
        try:
            start.wait()
            work()
        finally:
            connections.close_all()

    start = threading.Barrier(len(works))
    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limit", [50, None])
def test_two_dispatchers_with_two_numbers_of_one_portfolio_count_as_one(limit: int | None) -> None:
    portfolio = limited(limit, waba_id="7", portfolio="shop")
    other = BusinessNumber.objects.create(phone_number_id="77", waba_id="8", portfolio="shop", rate=1000)
    assert assign_portfolio(other.pk) == portfolio.pk
    senders = (number(), other)
    # Some recipients get messages of both numbers.
    for n in range(80):
        accept([NewMessage(f"1555{n % 60:07}", "text", {"content": "hi"}, senders[n % 2])])
    for _ in range(10):
        BusinessNumber.objects.update(tokens=1)
        at_once([lambda pk=sender.pk: release(pk) for sender in senders])  # type: ignore[misc]
        Message.objects.filter(released_at__isnull=False).update(outcome_at=timezone.now())
    released = Message.objects.exclude(released_at=None)
    portfolio.refresh_from_db()
    assert counted_by_minutes() == counted_by_rows()
    assert portfolio.opened == len(set(released.values_list("peer", flat=True))) == (45 if limit else 60)


@pytest.mark.django_db(transaction=True)
def test_a_limit_that_falls_during_a_release_holds_what_exceeds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    limited(None)
    rows = pending(10)
    mark_queued = release_module._mark_queued

    def fall_and_mark(*args: Any, **options: Any) -> Any:
        # Once: the release is repeated with the portfolio locked.
        if not Portfolio.objects.filter(users_a_day=3).exists():
            at_once([lambda: Portfolio.objects.update(users_a_day=3)])
        return mark_queued(*args, **options)

    monkeypatch.setattr(release_module, "_mark_queued", fall_and_mark)
    release(rows[0].number_id)
    # A tenth of the limit, at least one, is left for high priority.
    assert Message.objects.filter(status="queued").count() == 2
    assert (counted_by_minutes(), holds()) == (counted_by_rows(), {"limit"})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("users", "wrote", "expected"),
    [
        (None, False, ["queued and counted"]),
        (100_000, False, ["queued and counted"]),
        (2, False, ["lock", "queued and counted"]),
        (None, True, ["queued"]),
        (100_000, True, ["queued"]),
        (2, True, ["lock", "queued"]),
    ],
    ids=["unlimited", "far", "near", "unlimited, in a window", "far, in a window", "near, in a window"],
)
def test_the_limit_costs_a_release_so_many_statements(users: int | None, wrote: bool, expected: list[str]) -> None:
    limited(users)
    (row,) = pending(1)
    if wrote:
        Message.objects.create(direction="inbound", number=row.number, peer=row.peer, type="text", status="received")
    with CaptureQueriesContext(connection) as queries:
        release(row.number_id)
    statements = [kind for query in queries if (kind := kind_of(query["sql"]))]
    assert (statements, Message.objects.filter(status="queued").count()) == (expected, 1)


def kind_of(sql: str) -> str:
    """What a statement of the release has to do with the limit; empty: nothing."""
    if "messaging_open_recipients" in sql:
        return "queued and counted" if "SET status = 'queued'" in sql else "counted"
    if "SET status = 'queued'" in sql:
        return "queued"
    return "lock" if sql.strip().startswith("SELECT users_a_day, opened, counted_from") else ""
