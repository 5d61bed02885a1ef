"""Budgets: what is spent is held, and released when the budget is raised."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from analytics import tasks
from analytics.costs.budgets import (
    _only,
    budgets_near_limit,
    check_budgets,
    decide,
    first_charge,
    make_quarters_due,
    month_of,
)
from analytics.models import Bucket, Budget, BudgetPeriod, BudgetState, RateCard
from analytics.rollups import quarter_of
from messaging.accepting import waiting_warnings
from messaging.accepting.sending_numbers import sending_number
from messaging.models import ApiClient, AuditEntry, Hold, Message
from messaging.outgoing.due_selection import due_now
from messaging.outgoing.holds.holds import sweep_holds
from tests.analytics.costs.factories import LIST, card, charge
from tests.analytics.rollups.factories import count_again, outbound
from tests.messaging.factories import pending

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_cache() -> Iterator[None]:
    yield
    waiting_warnings.clear_hold_cache()


def budget(amount: str = "10", **fields: Any) -> Budget:
    if not {"client", "campaign"} & set(fields):
        fields["campaign"] = "spring"
    return Budget.objects.create(amount=amount, currency="USD", **fields)


def spend(messages: int, at: datetime | None = None, **fields: Any) -> None:
    """A dollar each."""
    if not RateCard.objects.exists():
        card(LIST + "Germany,USD,1,,,\n", "2020-01-01")
    charge(at or timezone.now(), messages, **{"campaign": "spring", **fields})


def checked(one: Budget) -> Budget:
    check_budgets()
    one.refresh_from_db()
    return one


@pytest.mark.parametrize(
    ("spent", "state"),
    [("0", "fine"), ("7.99", "fine"), ("8", "warned"), ("9.99", "warned"), ("10", "spent"), ("11", "spent")],
)
def test_a_budget_warns_at_its_share_and_is_spent_at_its_amount(spent: str, state: str) -> None:
    assert decide(Decimal(spent), Decimal(10), Decimal("0.8")) == state


NOW = datetime(2026, 11, 20, 12, 34, 56, 789, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "begins"),
    [("UTC", datetime(2026, 11, 1, tzinfo=UTC)), ("Asia/Kolkata", datetime(2026, 10, 31, 18, 30, tzinfo=UTC))],
)
def test_a_calendar_month_begins_at_midnight_of_the_servers_time_zone(
    zone: str, begins: datetime, settings: Any
) -> None:
    settings.TIME_ZONE = zone
    assert month_of(NOW) == begins


@pytest.mark.parametrize(
    ("budgets", "filters"),
    [
        ([(None, "spring"), (7, "autumn"), (8, "spring")], {"campaign": ["autumn", "spring"]}),
        ([(8, ""), (7, "spring"), (8, "x")], {"client_id": [7, 8]}),
        ([(None, "spring"), (7, "")], {}),
    ],
)
def test_a_check_reads_no_charges_of_others(budgets: list[tuple[int | None, str]], filters: dict[str, Any]) -> None:
    rows = [Budget(client_id=client, campaign=campaign) for client, campaign in budgets]
    assert _only(rows) == filters


def test_a_total_begins_with_the_earliest_charge() -> None:
    assert first_charge() is None
    for days in (2, 3, 1):
        spend(1, NOW - timedelta(days=days))
    found = first_charge()
    assert found and found.date() == (NOW - timedelta(days=3)).date()


def test_without_any_charge_nothing_is_spent() -> None:
    one = checked(budget(period=BudgetPeriod.TOTAL))
    assert (one.state, int(one.spent), one.checked_at is None) == ("fine", 0, False)


def test_budgets_count_their_own_currency() -> None:
    spend(3)
    card("Market,Currency,Marketing\nGermany,EUR,2\n", "2020-01-01", "EUR")
    dollars = budget("100")
    euros = Budget.objects.create(amount=100, currency="EUR", campaign="spring", period=BudgetPeriod.TOTAL)
    check_budgets()
    assert [Budget.objects.get(pk=one.pk).spent for one in (dollars, euros)] == [3, 6]


def test_the_hold_of_a_spent_budget_says_which_one() -> None:
    spend(10)
    checked(budget("10.50"))
    assert not Hold.objects.exists()
    Budget.objects.update(amount="9.50")
    check_budgets()
    assert Hold.objects.get().reason == "the budget of 9.5 USD is spent"


def test_an_inactive_budget_is_fine_and_has_no_alert() -> None:
    spend(10)
    one = checked(budget())
    Budget.objects.update(active=False)
    assert (one.state, checked(one).state, budgets_near_limit()) == (BudgetState.SPENT, BudgetState.FINE, {})


@pytest.mark.django_db(transaction=True)
def test_budgets_that_another_worker_checks_are_left_to_it() -> None:
    budget()
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [0x6275646765])
        check_budgets()
    finally:
        other.close()
    assert Budget.objects.get().checked_at is None


@pytest.mark.parametrize(
    ("age", "counted_minutes_ago", "status", "is_due"),
    [
        (timedelta(hours=23), 6, "", True),
        (timedelta(hours=23), 4, "", False),
        (timedelta(hours=25), 6, "", False),
        (timedelta(hours=25), 6, "sent", True),
        (timedelta(hours=25), 6, "delivered", False),
    ],
)
def test_quarters_whose_messages_may_be_delivered_now_are_counted_sooner(
    age: timedelta, counted_minutes_ago: int, status: str, is_due: bool
) -> None:
    now = timezone.now()
    start = quarter_of(now - age)
    if status:
        outbound(start, status=status)
        count_again()
    later = now + timedelta(hours=2)
    Bucket.objects.update_or_create(
        start=start,
        defaults={
            "dirty_since": now, "due_at": later, "counted_at": now - timedelta(minutes=counted_minutes_ago),
        },
    )  # fmt: skip
    make_quarters_due(now)
    assert (Bucket.objects.get(start=start).due_at < later) == is_due


def held(message: Message) -> str | None:
    """The mark that the dispatcher would give it."""
    with transaction.atomic(), connection.cursor() as cursor:
        found = {row.message_id: row.hold for row in due_now(cursor, message.number_id, 50)}
    return found[message.pk]


def test_messages_of_a_spent_campaign_are_held_and_others_are_not() -> None:
    mine, other = pending(2)
    Message.objects.filter(pk=mine.pk).update(campaign="spring")
    spend(10)
    assert checked(budget()).state == BudgetState.SPENT
    hold = Hold.objects.get()
    assert (held(mine), held(other)) == (f"budget:{hold.pk}", None)


def test_messages_of_a_spent_client_are_held_and_others_are_not() -> None:
    shop = ApiClient.objects.create(name="shop")
    mine, other = pending(2)
    Message.objects.filter(pk=mine.pk).update(client=shop)
    spend(10, client_id=shop.pk)
    checked(budget(client=shop))
    assert ((held(mine) or "").startswith("budget:"), held(other)) == (True, None)


def test_a_raised_budget_releases_its_messages() -> None:
    (mine,) = pending()
    spend(10)
    one = checked(budget())
    Message.objects.filter(pk=mine.pk).update(campaign="spring", hold=Hold.objects.get().mark)
    Budget.objects.update(amount=100)
    assert checked(one).state == BudgetState.FINE
    sweep_holds()
    mine.refresh_from_db()
    assert mine.hold is None


@pytest.mark.parametrize("end", ["inactive", "deleted"])
def test_a_budget_that_is_gone_holds_nothing(end: str) -> None:
    spend(10)
    one = checked(budget())
    if end == "deleted":
        one.delete()
    else:
        Budget.objects.update(active=False)
    check_budgets()
    assert not Hold.objects.filter(resumed_at=None).exists()


def test_a_hold_of_an_operator_stays_when_the_budget_is_raised() -> None:
    Hold.objects.create(kind="campaign", key="spring", by="ann")
    spend(10)
    checked(budget())
    Budget.objects.update(amount=100)
    check_budgets()
    assert list(Hold.objects.filter(resumed_at=None).values_list("by", flat=True)) == ["ann"]


def test_a_check_repeated_holds_once() -> None:
    spend(10)
    budget()
    check_budgets()
    check_budgets()
    assert Hold.objects.count() == 1


def test_a_month_counts_for_itself_and_a_total_counts_all_months() -> None:
    spend(10, timezone.now() - timedelta(days=40))
    month, all_time = budget(), budget(period=BudgetPeriod.TOTAL)
    assert (checked(month).state, checked(all_time).state) == (BudgetState.FINE, BudgetState.SPENT)


def test_budgets_count_what_is_theirs_alone() -> None:
    shop, desk = (ApiClient.objects.create(name=name) for name in ("shop", "desk"))
    spend(2, client_id=shop.pk)
    spend(3, client_id=desk.pk)
    spend(4, client_id=shop.pk, campaign="autumn")
    spend(5, timezone.now() - timedelta(days=40), client_id=desk.pk)
    asked: list[dict[str, Any]] = [{"campaign": "spring"}, {"client": shop}, {"client": desk, "campaign": "spring"}]
    found = [budget("100", period=period, **one) for period in BudgetPeriod for one in asked]
    check_budgets()
    assert [int(Budget.objects.get(pk=one.pk).spent) for one in found] == [5, 6, 3, 10, 6, 8]


def test_a_check_of_many_budgets_asks_as_often_as_one_of_one(django_assert_max_num_queries: Any) -> None:
    spend(2)
    with CaptureQueriesContext(connection) as one:
        checked(budget())
    for n in range(9):
        budget(campaign=f"c{n}")
    # Each is written by a statement of its own.
    with django_assert_max_num_queries(len(one) + 9):
        check_budgets()


def test_messages_without_a_price_cost_nothing_and_are_counted() -> None:
    spend(3)
    spend(50, market="Atlantis")
    one = checked(budget())
    assert (one.state, int(one.spent), one.unpriced) == ("fine", 3, 50)


def test_the_sweep_checks_budgets() -> None:
    spend(10)
    one = budget()
    tasks.roll_up()
    one.refresh_from_db()
    assert one.state == BudgetState.SPENT


def test_budgets_are_checked_although_the_trail_cannot_be_read() -> None:
    spend(10)
    one = budget()

    def refuse(run: Any, sql: str, *arguments: Any) -> Any:
        if "messaging_messageevent" in sql:
            raise OperationalError
        return run(sql, *arguments)

    with connection.execute_wrapper(refuse), pytest.raises(OperationalError):
        tasks.roll_up()
    one.refresh_from_db()
    assert one.state == BudgetState.SPENT


def test_budgets_under_pressure_have_an_alert() -> None:
    spend(8)
    checked(budget())
    shop = ApiClient.objects.create(name="shop")
    spend(10, client_id=shop.pk, campaign="")
    checked(budget(client=shop))
    assert budgets_near_limit() == {"spring, each calendar month": False, "shop, each calendar month": True}


def test_quarters_of_the_last_day_are_counted_sooner_while_there_are_budgets() -> None:
    now = timezone.now()
    bucket = Bucket.objects.create(
        start=now - timedelta(hours=3),
        dirty_since=now,
        due_at=now + timedelta(hours=2),
        counted_at=now - timedelta(minutes=6),
    )
    check_budgets()
    bucket.refresh_from_db()
    assert bucket.due_at > now
    budget()
    check_budgets()
    bucket.refresh_from_db()
    assert bucket.due_at <= timezone.now()


def test_a_sender_is_warned_that_the_budget_is_spent() -> None:
    spend(10)
    checked(budget())
    waiting_warnings.clear_hold_cache()
    message = Message(number=sending_number(), campaign="spring")
    assert waiting_warnings.waiting_warnings(message) == ["The budget is spent: the message waits until it is raised."]


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="Name a client"):
        Budget(amount=1, currency="USD").full_clean()


def test_a_key_sees_the_budgets_of_its_client(api: APIClient) -> None:
    budget(client=ApiClient.objects.get(name="shop"), campaign="")
    budget()
    (row,) = api.get("/analytics/budgets").json()["results"]
    assert row == {
        "client": "shop", "campaign": "", "period": "month", "amount": "10.00", "currency": "USD", "warn_share": "0.80",
        "active": True, "spent": "0.00", "unpriced": 0, "state": "fine", "checked_at": None,
    }  # fmt: skip


def test_an_operators_key_sees_all_budgets_and_those_of_a_campaign(api: APIClient) -> None:
    budget(client=ApiClient.objects.get(name="shop"), campaign="autumn")
    checked(budget())
    ApiClient.objects.update(operator=True)
    found = [api.get("/analytics/budgets", query).json()["results"] for query in ({}, {"campaign": "spring"})]
    assert [[(row["client"], row["campaign"]) for row in rows] for rows in found] == [
        [("shop", "autumn"), (None, "spring")],
        [(None, "spring")],
    ]
    assert found[1][0]["checked_at"]


def test_a_budget_that_is_saved_in_the_admin_is_in_the_audit_log(rf: Any, admin_user: Any) -> None:
    one = Budget(campaign="spring", amount=Decimal("12.50"), currency="USD")
    request = rf.post("/")
    request.user = admin_user
    admin.site.get_model_admin(Budget).save_model(request, one, SimpleNamespace(changed_data=[]), False)
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.action, entry.object, entry.details) == (
        *("admin", "budget", f"budget {one.pk}", {"amount": "12.50 USD"}),
    )


def test_a_budget_that_is_saved_in_the_admin_keeps_what_was_spent_meanwhile(rf: Any, admin_user: Any) -> None:
    opened = Budget.objects.create(campaign="spring", amount=10, currency="USD")
    Budget.objects.update(spent="9.50", state=BudgetState.WARNED)
    opened.amount = Decimal(20)
    request = rf.post("/")
    request.user = admin_user
    page = admin.site.get_model_admin(Budget)
    page.save_model(request, opened, SimpleNamespace(changed_data=["amount"]), True)
    stored = Budget.objects.get()
    assert (stored.amount, stored.spent, stored.state) == (Decimal(20), Decimal("9.50"), BudgetState.WARNED)
