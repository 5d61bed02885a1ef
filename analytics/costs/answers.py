"""Answers about costs: figures with names, money as text, and the cards that made them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from analytics.costs.dimensions import DIMENSIONS, namers
from analytics.costs.figures import Figure, total
from analytics.models import RateCard


def money(amount: Decimal) -> str:
    """Without an exponent, and no zeros behind the second decimal place: 12.50, 0.0123."""
    text = f"{amount:f}"
    whole, _, places = text.partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"


def cards_of(found: Iterable[Figure]) -> dict[int, RateCard]:
    """The cards that made these figures."""
    return RateCard.objects.in_bulk({card for one in found for card in one.cards})


def row_of(figure: Figure, cards: dict[int, RateCard]) -> dict[str, Any]:
    """The measures of a figure. Messages without any price have no cost: null, not zero."""
    priced = figure.charged or not figure.unpriced
    return {
        "messages": figure.messages,
        "charged": figure.charged,
        "free": figure.free,
        "unpriced": figure.unpriced,
        "cost": money(figure.cost) if priced else None,
        "cards": "; ".join(str(cards[key]) + f" from {cards[key].valid_from}" for key in figure.cards if key in cards),
    }


def rows_of(
    found: Sequence[Figure],
    groups: Sequence[str],
    starts: Sequence[datetime] | None,
    limit: int,
    cards: dict[int, RateCard],
) -> list[dict[str, Any]]:
    """A row for each step and group; of the groups the `limit` with the most messages. `cards`: the figures' own."""
    sizes: dict[tuple[Any, ...], int] = {}
    for one in found:
        sizes[one.group] = sizes.get(one.group, 0) + one.messages
    kept = set(sorted(sizes, key=lambda group: (-sizes[group], group))[:limit])
    words = namers(groups)
    rows = []
    for one in found:
        if one.group in kept:
            named = {name: word(value) for name, word, value in zip(groups, words, one.group, strict=True)}
            start = {"start": starts[one.step].isoformat()} if starts else {}
            rows.append({**start, **named, **row_of(one, cards)})
    return rows if starts else sorted(rows, key=lambda row: (-row["messages"], *(row[name] for name in groups)))


def blank_row(groups: Sequence[str], starts: Sequence[datetime] | None) -> dict[str, Any]:
    """A row of no group, with the columns of every row."""
    start = {"start": starts[0].isoformat()} if starts else {}
    return {**start, **dict.fromkeys(groups, ""), **row_of(total([]), {})}


def columns_of(groups: Sequence[str]) -> list[str]:
    """The columns of `Charge` of these dimensions."""
    return [DIMENSIONS[name].column for name in groups]
