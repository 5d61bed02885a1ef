"""Costs equal those of a clerk who prices charge by charge, in their order, with a pencil."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from analytics.costs.figures import CostQuestion, breakdown, figures
from analytics.models import Charge, Day
from analytics.rollups.days import sum_day
from messaging.models import BusinessNumber
from tests.analytics.costs.factories import LIST, TIERS, card, charge
from tests.analytics.costs.random_examples import examples

pytestmark = pytest.mark.django_db
BEGIN = datetime(2026, 10, 20, tzinfo=UTC)
DAYS = 30
# (account, portfolio, zone): two accounts of one portfolio, whose months begin hours apart, and one alone.
ACCOUNTS = [("1", "acme", "UTC"), ("2", "acme", "Asia/Kolkata"), ("3", "", "America/New_York")]
# By market and category: of each card its first day, and (from, to, price) of each tier.
PRICES: dict[tuple[str, str], list[tuple[date, date, int, int, str]]] = {
    ("Germany", "marketing"): [
        (date(2026, 10, 1), date(2026, 11, 10), 0, 10**9, "0.13"),
        (date(2026, 11, 10), date.max, 0, 10**9, "0.11"),
    ],
    ("Germany", "utility"): [
        (date(2026, 10, 25), date(2026, 11, 10), 0, 100, "0.05"),
        (date(2026, 10, 25), date(2026, 11, 10), 100, 250, "0.04"),
        (date(2026, 10, 25), date(2026, 11, 10), 250, 10**9, "0.03"),
        (date(2026, 10, 1), date(2026, 10, 25), 0, 10**9, "0.06"),
        (date(2026, 11, 10), date.max, 0, 10**9, "0.055"),
    ],
}

charges = st.tuples(
    st.integers(0, DAYS * 96 - 1),
    st.integers(0, 2),
    st.sampled_from(["Germany", "Germany", "India"]),
    st.sampled_from(["utility", "utility", "marketing"]),
    st.sampled_from(["regular", "regular", "free_entry_point"]),
    st.sampled_from(["spring", "autumn", ""]),
    st.integers(1, 180),
)
periods = st.tuples(
    st.lists(st.integers(0, DAYS * 4), min_size=2, max_size=5, unique=True).map(sorted),
    st.sampled_from([timedelta(0), timedelta(hours=18, minutes=30)]),
)


@pytest.fixture(autouse=True)
def prices(settings: Any) -> None:
    """The cards of PRICES, and the accounts."""
    settings.ACCOUNT_TIME_ZONES = {account: ZoneInfo(zone) for account, _, zone in ACCOUNTS}
    for n, (account, portfolio, _) in enumerate(ACCOUNTS):
        BusinessNumber.objects.create(phone_number_id=f"9{n}", waba_id=account, portfolio=portfolio)
    card(LIST + "Germany,USD,0.13,0.06,,\n")
    card(
        TIERS + "Germany,USD,Utility,1,100,0.05\nGermany,USD,Utility,101,250,0.04\nGermany,USD,Utility,251,-,0.03\n",
        "2026-10-25",
    )
    card(LIST + "Germany,USD,0.11,0.055,,\n", "2026-11-10")


def priced_by_hand(group_by: Sequence[str], steps: list[datetime], until: datetime) -> dict[Any, tuple[Any, ...]]:
    """(messages, charged, free, cost) by step and group."""
    numbers = {row.pk: row for row in BusinessNumber.objects.all()}
    zones = {account: ZoneInfo(zone) for account, _, zone in ACCOUNTS}
    volumes: Counter[tuple[Any, ...]] = Counter()
    found: dict[Any, list[Any]] = defaultdict(lambda: [0, 0, 0, Decimal(0)])
    for one in Charge.objects.order_by("at", "number_id", "client_id", "template", "campaign", "bucket"):
        number = numbers[one.number_id]
        local = one.at.astimezone(zones[number.waba_id])
        portfolio = number.portfolio or number.waba_id
        step = sum(start <= one.at for start in steps)
        row = found[step - 1, *(getattr(one, name) for name in group_by)] if step and one.at < until else [0, 0, 0, 0]
        row[0] += one.messages
        if one.price_type != "regular":
            row[2] += one.messages
            continue
        volume = (portfolio, local.year, local.month, one.market, one.category)
        for _ in range(one.messages):
            for since, end, low, high, price in PRICES.get((one.market, one.category), []):
                if since <= local.date() < end and low <= volumes[volume] < high:
                    row[1] += 1
                    row[3] += Decimal(price)
            volumes[volume] += 1
    return {key: tuple(values) for key, values in found.items()}


# Two charges that nothing tells apart, at the border of a tier.
TWINS = [(480, 0, "Germany", "utility", "regular", "spring", n) for n in (89, 1, 9, 7)]


@pytest.mark.slow("prices random charges")
@example(TWINS, ([0, 17], timedelta(hours=18, minutes=30)), False)
@settings(max_examples=examples(20), deadline=None, suppress_health_check=[*HealthCheck])
@given(st.lists(charges, max_size=25), periods, st.booleans())
def test_costs_are_those_of_a_clerk_who_prices_message_by_message(
    rows: list[Any], period: tuple[list[int], timedelta], summed: bool
) -> None:
    with transaction.atomic():
        numbers = list(BusinessNumber.objects.order_by("phone_number_id"))
        for n, (quarter, number, market, category, kind, campaign, messages) in enumerate(rows):
            charge(
                BEGIN + timedelta(minutes=15 * quarter), messages, category, market=market, price_type=kind,
                campaign=campaign, template=f"t{n % 2}", number_id=numbers[number].pk,
            )  # fmt: skip
        quarters, shift = period
        *steps, until = [BEGIN + shift + timedelta(hours=6 * n) for n in quarters]
        if summed:
            sum_up_days()
        for group_by in ((), ("campaign",), ("market", "category"), ("number_id", "template")):
            found = figures(CostQuestion(steps, until, "USD", group_by))
            by_hand = priced_by_hand(group_by, steps, until)
            assert {(one.step, *one.group): (one.messages, one.charged, one.free, one.cost) for one in found} == by_hand
            for zone in ("Asia/Kolkata", "Europe/Berlin"):
                asked = CostQuestion(steps, until, "USD", group_by, zone=ZoneInfo(zone))
                assert figures(asked) == found
                if summed:
                    sum_due()
                    assert figures(asked) == found
        charged = figures(CostQuestion(steps, until, "USD", ("campaign",), {"price_type": ["regular"]}))
        assert {(one.step, *one.group): (one.messages, one.charged, one.free, one.cost) for one in charged} == {
            key: (messages - free, priced, 0, cost)
            for key, (messages, priced, free, cost) in priced_by_hand(("campaign",), steps, until).items()
            if messages > free
        }
        names = ["category", "campaign"]
        parts = breakdown(CostQuestion(steps, until, "USD", names))
        assert parts == {name: figures(CostQuestion(steps, until, "USD", [name])) for name in names}
        transaction.set_rollback(True)


def sum_up_days() -> None:
    """Days in UTC, and those that begin at 18:30."""
    for shift in (timedelta(0), timedelta(hours=18, minutes=30)):
        starts = [BEGIN - timedelta(days=20) + shift + timedelta(days=n) for n in range(DAYS + 21)]
        Day.objects.bulk_create(Day(start=start, dirty_since=start, due_at=start) for start in starts)
    sum_due()


def sum_due() -> None:
    """Sum up what questions have asked for."""
    while sum_day():
        pass
    assert not Day.objects.filter(dirty_since__isnull=False, start__lt=BEGIN).exists()
