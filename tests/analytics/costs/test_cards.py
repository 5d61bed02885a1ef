"""Which price is in force on which day."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from analytics.costs.cards import CardRow, Price, _after, _without, in_force, inherited, prices_of, store_card
from analytics.costs.rate_card_csv import read_card
from analytics.models import Layout, Rate, RateCard
from tests.analytics.costs.factories import LIST, TIERS, card

CENTRAL, AFRICA = "Rest of Central & Eastern Europe", "Rest of Africa"


def day(n: int) -> date:
    return date(2026, 10, n)


def spans(*pairs: tuple[int, int | None]) -> list[tuple[date, date | None]]:
    return [(day(since), day(until) if until else None) for since, until in pairs]


@pytest.mark.parametrize(
    ("until", "taken", "left"),
    [
        (20, [], [(10, 20)]),
        (20, [(12, 14)], [(10, 12), (14, 20)]),
        (20, [(10, 14)], [(14, 20)]),
        (20, [(14, 20)], [(10, 14)]),
        (20, [(14, None)], [(10, 14)]),
        (20, [(10, None)], []),
        (20, [(5, 25)], []),
        (20, [(20, 25)], [(10, 20)]),
        (20, [(25, None)], [(10, 20)]),
        (20, [(5, 10)], [(10, 20)]),
        (20, [(5, 8), (12, 14)], [(10, 12), (14, 20)]),
        (20, [(12, 14), (16, 18)], [(10, 12), (14, 16), (18, 20)]),
        (None, [(12, 14)], [(10, 12), (14, None)]),
        (None, [(12, None)], [(10, 12)]),
        (None, [(5, 8)], [(10, None)]),
    ],
)
def test_days_that_another_price_covers_are_left_out(
    until: int | None, taken: list[tuple[int, int | None]], left: list[tuple[int, int | None]]
) -> None:
    assert _without(spans((10, until))[0], spans(*taken)) == spans(*left)


@pytest.mark.parametrize(("days", "after"), [([], None), ([1, 5], None), ([6, 9], 6), ([5, 9, 7], 7)])
def test_a_price_holds_until_the_next_day_of_a_card(days: list[int], after: int | None) -> None:
    assert _after(day(5), [day(n) for n in days]) == (day(after) if after else None)


def row(key: int, layout: Layout, since: int, market: str = "Germany", **fields: Any) -> CardRow:
    given = {"category": "utility", "tier_from": 0, "tier_to": None, "price": Decimal(key), **fields}
    return CardRow(key, layout, day(since), market, **given)


def listed(prices: Iterable[Price]) -> list[tuple[str, str, int, int | None, int]]:
    return sorted(
        (one.market, one.category, one.since.day, one.until.day if one.until else None, one.card) for one in prices
    )


def test_a_list_holds_until_the_next_list_and_prices_by_volume_take_its_place() -> None:
    rows = [
        row(2, Layout.LIST, 20),
        row(1, Layout.LIST, 1),
        row(4, Layout.TIERS, 15, tier_to=5),
        row(4, Layout.TIERS, 15, tier_from=5),
        row(3, Layout.TIERS, 5),
        row(1, Layout.LIST, 1, category="service"),
        row(3, Layout.TIERS, 5, "India"),
    ]
    assert listed(in_force(rows)) == [
        ("Germany", "service", 1, 20, 1),
        ("Germany", "utility", 1, 5, 1),
        ("Germany", "utility", 5, 15, 3),
        ("Germany", "utility", 15, 20, 4),
        ("Germany", "utility", 15, 20, 4),
        ("Germany", "utility", 20, None, 2),
        ("India", "utility", 5, 15, 3),
    ]


def test_a_price_keeps_all_of_its_rate() -> None:
    (price,) = in_force([row(7, Layout.TIERS, 5, tier_from=3, tier_to=9, price=Decimal("0.5"))])
    assert price == Price("Germany", "utility", day(5), None, 3, 9, Decimal("0.5"), 7)


def test_marketing_lite_costs_what_marketing_costs_unless_it_has_a_price_of_its_own() -> None:
    rows = [
        row(1, Layout.LIST, 1, "Germany", category="marketing"),
        row(1, Layout.LIST, 1, "Germany", category="marketing_lite"),
        row(1, Layout.LIST, 1, "India", category="marketing"),
        row(1, Layout.LIST, 1, "India", category="utility"),
    ]
    assert [one[:2] for one in listed(in_force(rows))] == [
        ("Germany", "marketing"), ("Germany", "marketing_lite"), ("India", "marketing"), ("India", "marketing_lite"),
        ("India", "utility"),
    ]  # fmt: skip


@pytest.mark.parametrize(("own", "expected"), [(2, [(1, 1, 5), (2, 5, None)]), (1, [(1, 1, 5), (2, 5, None)])])
def test_marketing_lite_costs_what_marketing_costs_on_the_days_of_a_card_without_it(
    own: int, expected: list[tuple[int, int, int | None]]
) -> None:
    days = {1: 1, 2: 5}
    rows = [row(key, Layout.LIST, since, category="marketing") for key, since in days.items()]
    rows.append(row(own, Layout.LIST, days[own], category="marketing_lite"))
    found = sorted(
        (one.card, one.since.day, one.until and one.until.day)
        for one in in_force(rows)
        if one.category == "marketing_lite"
    )
    assert found == expected


@pytest.mark.parametrize(
    ("rows", "markets"),
    [
        # A list without the market: the region's price is the market's.
        ([(1, Layout.LIST, 1, CENTRAL)], [(1, "Poland")]),
        ([(1, Layout.LIST, 1, CENTRAL), (1, Layout.LIST, 1, "Poland")], []),
        ([(1, Layout.LIST, 1, AFRICA)], []),
        # Prices by volume: the list in force says whether the market is of the region.
        ([(1, Layout.LIST, 1, "Poland"), (2, Layout.TIERS, 5, CENTRAL)], []),
        ([(1, Layout.LIST, 5, "Poland"), (2, Layout.TIERS, 5, CENTRAL)], []),
        ([(1, Layout.LIST, 6, "Poland"), (2, Layout.TIERS, 5, CENTRAL)], [(2, "Poland")]),
        ([(3, Layout.LIST, 4, "Poland"), (1, Layout.LIST, 1, AFRICA), (2, Layout.TIERS, 5, CENTRAL)], []),
        ([(1, Layout.LIST, 1, "Poland"), (3, Layout.LIST, 4, AFRICA), (2, Layout.TIERS, 5, CENTRAL)], [(2, "Poland")]),
        ([(2, Layout.TIERS, 5, CENTRAL)], [(2, "Poland")]),
        ([(2, Layout.TIERS, 5, CENTRAL), (2, Layout.TIERS, 5, "Poland")], []),
    ],
)
def test_a_market_without_a_row_has_the_prices_of_its_region(
    rows: list[tuple[int, Layout, int, str]], markets: list[tuple[int, str]]
) -> None:
    found = list(inherited([row(*one) for one in rows]))
    assert [(one.card, one.market) for one in found if one.market == "Poland"] == markets


@pytest.mark.django_db
def test_a_card_replaces_the_one_of_its_currency_layout_and_day_alone() -> None:
    text = (LIST + "Germany,USD,1,,,\n").splitlines()
    tiers = (TIERS + "Germany,USD,Utility,1,10,3\nGermany,USD,Utility,11,-,2\n").splitlines()
    given = [(text, "USD", 1), (text, "USD", 2), (tiers, "USD", 1), (text, "EUR", 1), (text, "USD", 1)]
    stored = [
        store_card(read_card([line.replace("USD", currency) for line in lines], currency), f"{n}", currency, day(since))
        for n, (lines, currency, since) in enumerate(given)
    ]
    assert [replaced for _, replaced in stored] == [False, False, False, False, True]
    left = RateCard.objects.order_by("name").values_list("name", "currency", "layout", "valid_from")
    assert list(left) == [
        ("1", "USD", "list", day(2)), ("2", "USD", "tiers", day(1)), ("3", "EUR", "list", day(1)),
        ("4", "USD", "list", day(1)),
    ]  # fmt: skip
    rates = Rate.objects.filter(card=stored[2][0]).order_by("tier_from")
    assert list(rates.values_list("market", "category", "tier_from", "tier_to", "price")) == [
        ("Germany", "utility", 0, 10, Decimal(3)), ("Germany", "utility", 10, None, Decimal(2)),
    ]  # fmt: skip


@pytest.mark.django_db
def test_prices_are_those_of_one_currency() -> None:
    mine = card(LIST + "Germany,USD,,2,,\n", "2026-10-05")
    card(LIST + "Germany,EUR,,3,,\n", "2026-10-05", "EUR")
    assert prices_of("USD") == [Price("Germany", "utility", day(5), None, 0, None, Decimal(2), mine.pk)]
