"""Messages at the borders of volume tiers cost what they cost one by one, in their order."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from analytics.costs.figures import CostQuestion, figures
from analytics.models import Charge, Day, RateCard, RunningCharge
from analytics.rollups import request_sums
from analytics.rollups.days import sum_day
from messaging.models import BusinessNumber
from tests.analytics.costs.factories import TIERS, card, charge
from tests.analytics.costs.random_examples import examples

pytestmark = pytest.mark.django_db
# Berlin's clock changes on the 25th, a month begins within.
BEGIN = datetime(2026, 10, 23, tzinfo=UTC)
DAYS = 12
END = BEGIN + timedelta(days=DAYS)
ZONES = ("UTC", "Asia/Kolkata", "Europe/Berlin")
MARKETS = ("Germany", "India")
GROUPS = ((), ("campaign",), ("market", "template"), ("number_id", "client_id", "campaign"))

charges = st.tuples(
    # Many in a quarter, and many quarters.
    st.one_of(st.sampled_from([200, 201, 500]), st.integers(0, DAYS * 96 - 1)),
    st.integers(0, 2),
    st.integers(0, 1),
    st.sampled_from(MARKETS),
    st.sampled_from(["regular", "regular", "regular", "free_entry_point"]),
    st.sampled_from(["spring", "autumn", ""]),
    st.integers(1, 60),
)
borders = st.lists(st.integers(1, 400), min_size=1, max_size=5, unique=True).map(sorted)


@pytest.fixture(autouse=True)
def accounts(settings: Any) -> None:
    """Two numbers of one portfolio in two time zones, and one alone."""
    settings.ACCOUNT_TIME_ZONES = {"1": ZoneInfo("UTC"), "2": ZoneInfo("Asia/Kolkata"), "3": ZoneInfo("Europe/Berlin")}
    for waba_id, portfolio in (("1", "acme"), ("2", "acme"), ("3", "")):
        BusinessNumber.objects.create(phone_number_id=f"9{waba_id}", waba_id=waba_id, portfolio=portfolio)


def tiers(market: str, ends: Sequence[int]) -> str:
    """Lines of a card: a message of the first tier costs 0.09, of the second 0.08 …"""
    bounds = [0, *ends]
    return "".join(
        f'{market},USD,Utility,{low + 1},"{high}",0.0{9 - n}\n'
        for n, (low, high) in enumerate(zip(bounds, [*ends, "-"], strict=True))
    )


def one_by_one(ends: dict[str, list[int]], group_by: Sequence[str], steps: list[datetime]) -> dict[Any, Any]:
    """(messages, charged, free, cost) by step and group: message by message, in the order of their charges."""
    numbers = {row.pk: row for row in BusinessNumber.objects.all()}
    zones = {"1": ZoneInfo("UTC"), "2": ZoneInfo("Asia/Kolkata"), "3": ZoneInfo("Europe/Berlin")}
    volumes: Counter[tuple[Any, ...]] = Counter()
    found: dict[Any, list[Any]] = defaultdict(lambda: [0, 0, 0, Decimal(0)])
    for one in Charge.objects.order_by("at", "number_id", "client_id", "template", "campaign", "bucket"):
        number = numbers[one.number_id]
        month = one.at.astimezone(zones[number.waba_id]).strftime("%Y-%m")
        step = sum(start <= one.at for start in steps)
        nowhere: list[Any] = [0, 0, 0, Decimal(0)]
        sums = found[step - 1, *(getattr(one, name) for name in group_by)] if step else nowhere
        for _ in range(one.messages):
            sums[0] += 1
            if one.price_type != "regular":
                sums[2] += 1
                continue
            volume = (number.portfolio or number.waba_id, month, one.market)
            sums[1] += 1
            sums[3] += Decimal(9 - sum(end <= volumes[volume] for end in ends[one.market])) / 100
            volumes[volume] += 1
    return {key: tuple(sums) for key, sums in found.items()}


def asked(zone: str, group_by: Sequence[str], steps: list[datetime]) -> dict[Any, Any]:
    """The same from a question."""
    found = figures(CostQuestion(steps, END, "USD", group_by, zone=ZoneInfo(zone)))
    return {(one.step, *one.group): (one.messages, one.charged, one.free, one.cost) for one in found}


def midnights(zone: str) -> list[datetime]:
    first = BEGIN.astimezone(ZoneInfo(zone)).date()
    days = (
        datetime(first.year, first.month, first.day, tzinfo=ZoneInfo(zone)) + timedelta(days=n) for n in range(DAYS)
    )
    return [day.astimezone(UTC) for day in days]


def sum_up(zone: str) -> None:
    """Sum up the zone's days, and whatever questions have asked for."""
    begins = midnights(zone)
    lengths = [round((b - a).total_seconds() / 60) for a, b in pairwise(begins)]
    request_sums(list(zip(begins, lengths, strict=False)))
    Day.objects.update(due_at=BEGIN)
    while sum_day():
        pass


def store(rows: Sequence[Any]) -> None:
    numbers = list(BusinessNumber.objects.order_by("phone_number_id").values_list("pk", flat=True))
    for n, (quarter, number, client, market, kind, campaign, messages) in enumerate(rows):
        charge(
            BEGIN + timedelta(minutes=15 * quarter), messages, "utility", market=market, price_type=kind,
            campaign=campaign, template=f"t{n % 2}", client_id=client, number_id=numbers[number],
        )  # fmt: skip
    # Days are summed up where quarters have messages.
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO analytics_bucket (start, due_at, took_ms, messages)"
            " SELECT DISTINCT at, at, 0, 1 FROM analytics_charge ON CONFLICT DO NOTHING"
        )


# Twelve charges of one quarter, through which four tiers go.
ONE_QUARTER = [(200, n % 3, n % 2, "Germany", "regular", ("spring", "autumn", "")[n // 4], 7) for n in range(12)]
# The last message of a tier is the last of a day.
AT_MIDNIGHT = [(0, 0, 0, "Germany", "regular", "", 30), (99, 0, 0, "Germany", "regular", "", 1)]


@pytest.mark.slow("prices random charges")
@example(ONE_QUARTER, {"Germany": [1, 9, 20, 21, 27], "India": [5]}, "Asia/Kolkata", "all")
@example(ONE_QUARTER, {"Germany": [83, 84], "India": [5]}, "Europe/Berlin", "days")
@example(AT_MIDNIGHT, {"Germany": [30], "India": [1]}, "UTC", "days")
@settings(max_examples=examples(20), deadline=None, suppress_health_check=[*HealthCheck])
@given(
    st.lists(charges, min_size=1, max_size=40),
    st.fixed_dictionaries(dict.fromkeys(MARKETS, borders)),
    st.sampled_from(ZONES),
    st.sampled_from(["all", "late", "days"]),
)
def test_each_message_costs_the_price_of_its_tier(
    rows: list[Any], ends: dict[str, list[int]], zone: str, period: str
) -> None:
    steps = {
        "all": [BEGIN],
        # Volumes count from the beginning of the month all the same.
        "late": [BEGIN + timedelta(days=5, hours=18)],
        "days": [BEGIN, *midnights("Europe/Berlin")[1:]],
    }[period]
    with transaction.atomic():
        card(TIERS + "".join(tiers(market, ends[market]) for market in MARKETS))
        store(rows)
        expected = {group_by: one_by_one(ends, group_by, steps) for group_by in GROUPS}
        # From charges, then from what is summed up.
        for _ in range(2):
            assert {group_by: asked(zone, group_by, steps) for group_by in GROUPS} == expected
            sum_up(zone)
        assert {group_by: asked(zone, group_by, steps) for group_by in GROUPS} == expected
        transaction.set_rollback(True)


@pytest.mark.parametrize("zone", ZONES)
def test_borders_in_days_that_are_summed_up_read_no_charge(zone: str) -> None:
    ends = {"Germany": [1, 40, 100, 350], "India": [77]}
    card(TIERS + "".join(tiers(market, ends[market]) for market in MARKETS))
    store([(q, q % 3, q % 2, MARKETS[q % 2], "regular", f"c{q % 5}", 1 + q % 4) for q in range(0, (DAYS - 1) * 96, 7)])
    steps = midnights(zone)[:1]
    before = asked(zone, ("campaign",), steps)
    for _ in range(2):
        sum_up(zone)
        assert asked(zone, ("campaign",), steps) == before
    Charge.objects.all().delete()
    assert asked(zone, ("campaign",), steps) == before


def test_days_that_the_version_before_has_summed_up_are_priced_from_their_charges() -> None:
    ends = {"Germany": [11, 40], "India": [77]}
    card(TIERS + "".join(tiers(market, ends[market]) for market in MARKETS))
    store([(q, 0, 0, "Germany", "regular", f"c{q % 5}", 3) for q in range(96)])
    sum_up("UTC")
    before = asked("UTC", ("campaign",), [BEGIN])
    # It has made a day anew that had running sums, or made one without.
    RunningCharge.objects.filter(client_id=0).update(volumes=[1], quarters=[3])
    assert asked("UTC", ("campaign",), [BEGIN]) == before == one_by_one(ends, ("campaign",), [BEGIN])
    RunningCharge.objects.all().delete()
    assert asked("UTC", ("campaign",), [BEGIN]) == before


def test_a_card_with_other_borders_needs_no_new_sums() -> None:
    store([(q, 0, 0, "Germany", "regular", f"c{q % 5}", 3) for q in range(96)])
    sum_up("UTC")
    for ends in ([5], [5, 6, 7], [100, 280], [287]):
        RateCard.objects.all().delete()
        card(TIERS + tiers("Germany", ends))
        assert asked("UTC", ("campaign",), [BEGIN]) == one_by_one({"Germany": ends}, ("campaign",), [BEGIN])
