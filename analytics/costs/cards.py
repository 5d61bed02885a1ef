"""Rate cards, stored, and the prices that are in force on each day."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.db import transaction

from analytics.costs.rate_card_csv import Card
from analytics.models import Layout, Rate, RateCard
from analytics.rollups.markets import REGION_OF

# Meta bills marketing messages of the Marketing Messages API as marketing, where the card has no column of their own.
SAME_PRICE = {"marketing_lite": "marketing"}

Span = tuple[date, date | None]


@dataclass(frozen=True, slots=True)
class Price:
    """A price of a market and category: from the day `since` until before `until` (None: without end), by tier."""

    market: str
    category: str
    since: date
    until: date | None
    tier_from: int
    tier_to: int | None
    price: Decimal
    card: int


@dataclass(frozen=True, slots=True)
class CardRow:
    """A rate of a stored card."""

    card: int
    layout: Layout
    valid_from: date
    market: str
    category: str
    tier_from: int
    tier_to: int | None
    price: Decimal


def store_card(card: Card, name: str, currency: str, valid_from: date) -> tuple[RateCard, bool]:
    """Store a card, replacing the one of the same currency, layout and day; whether there was one."""
    with transaction.atomic():
        same = RateCard.objects.filter(currency=currency, layout=card.layout, valid_from=valid_from)
        replaced = bool(same.select_for_update().values_list("pk", flat=True))
        same.delete()
        stored = RateCard.objects.create(name=name, currency=currency, layout=card.layout, valid_from=valid_from)
        Rate.objects.bulk_create(
            Rate(
                card=stored,
                market=rate.market,
                category=rate.category,
                tier_from=rate.tier_from,
                tier_to=rate.tier_to,
                price=rate.price,
            )
            for rate in card.rates
        )
    return stored, replaced


def prices_of(currency: str) -> list[Price]:
    """All prices in a currency."""
    rates = Rate.objects.filter(card__currency=currency).values_list(
        "card_id", "card__layout", "card__valid_from", "market", "category", "tier_from", "tier_to", "price"
    )
    rows = [CardRow(row[0], Layout(row[1]), *row[2:]) for row in rates]
    return in_force([*rows, *inherited(rows)])


def inherited(rows: Sequence[CardRow]) -> Iterator[CardRow]:
    """The prices of a region for its markets that an older card has no rows for. Pure.

    A market with a row in the list of prices in force has prices by volume of its own, or none.
    """
    cards: dict[int, list[CardRow]] = {}
    for row in rows:
        cards.setdefault(row.card, []).append(row)
    lists = sorted(
        (
            (card[0].valid_from, {row.market for row in card})
            for card in cards.values()
            if card[0].layout is Layout.LIST
        ),
        key=lambda one: one[0],
    )
    for card in cards.values():
        own = {row.market for row in card}
        if card[0].layout is Layout.TIERS:
            own |= next((markets for day, markets in reversed(lists) if day <= card[0].valid_from), set())
        for market, region in REGION_OF.items():
            if market not in own:
                yield from (replace(row, market=market) for row in card if row.market == region)


def in_force(rows: Iterable[CardRow]) -> list[Price]:
    """The rate that is in force on each day. Pure.

    A list of prices holds until the next list: what that one leaves out has no price. Prices by volume take the place
    of the list's until the next list or the next prices by volume.
    """
    rows = list(rows)
    lists = {row.valid_from for row in rows if row.layout is Layout.LIST}
    tiers = {row.valid_from for row in rows if row.layout is Layout.TIERS}
    by_volume: dict[tuple[str, str], list[tuple[date, date | None]]] = {}
    for row in sorted(rows, key=lambda row: row.valid_from):
        if row.layout is Layout.TIERS and row.tier_from == 0:
            span = (row.valid_from, _after(row.valid_from, lists | tiers))
            by_volume.setdefault((row.market, row.category), []).append(span)
    found: list[Price] = []
    for row in rows:
        if row.layout is Layout.TIERS:
            spans = [(row.valid_from, _after(row.valid_from, lists | tiers))]
        else:
            whole = (row.valid_from, _after(row.valid_from, lists))
            spans = _without(whole, by_volume.get((row.market, row.category), []))
        found += [
            Price(row.market, row.category, *span, row.tier_from, row.tier_to, row.price, row.card) for span in spans
        ]
    return found + list(_aliases(found))


def _after(day: date, days: Iterable[date]) -> date | None:
    return min((other for other in days if other > day), default=None)


def _without(whole: Span, taken: Iterable[Span]) -> list[Span]:
    """The days of a span that no other span covers."""
    left: list[Span] = []
    since, until = whole
    for begin, end in taken:
        if (until is not None and begin >= until) or (end is not None and end <= since):
            continue
        if begin > since:
            left.append((since, begin))
        if end is None or (until is not None and end >= until):
            return left
        since = end
    return [*left, (since, until)]


def _aliases(prices: list[Price]) -> Iterator[Price]:
    """On the days on which the alias has no price of its own."""
    own: dict[tuple[str, str], list[Span]] = {}
    for price in sorted(prices, key=lambda price: price.since):
        own.setdefault((price.market, price.category), []).append((price.since, price.until))
    for alias, category in SAME_PRICE.items():
        for price in prices:
            if price.category == category:
                for since, until in _without((price.since, price.until), own.get((price.market, alias), [])):
                    yield replace(price, category=alias, since=since, until=until)
