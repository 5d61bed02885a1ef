"""Costs of a period: charges of the database, priced with the cards that were in force when they were delivered.

Charges are read and priced again for each question, so nothing drifts, and a changed card changes all its
figures. All money is `Decimal` here and `numeric` in PostgreSQL.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from analytics.costs.accounts import Account, billed_accounts
from analytics.costs.cards import Price, prices_of
from analytics.costs.segments import segments
from analytics.costs.statement import statement
from analytics.rollups import request_sums

COLUMNS = frozenset({"market", "category", "template", "campaign", "number_id", "client_id", "price_type"})
FREE = ["free_customer_service", "free_entry_point", "free_group_customer_service"]
_FOREVER = date(9999, 12, 31)
# PostgreSQL cannot foresee how many rows the parts of the statement have. Sums of few groups would be sorted on disk as
# many wide ones, which takes four times as long as hashing, and joins of many rows would be loops in loops. Charges of
# 90 days are 20 MB.
_PLANNING = "SET LOCAL enable_sort = off; SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '64MB'"
_PLANNING_AGAIN = (
    "SET LOCAL enable_sort TO DEFAULT; SET LOCAL enable_nestloop TO DEFAULT; SET LOCAL work_mem TO DEFAULT"
)


@dataclass(frozen=True, slots=True)
class Figure:
    """The cost of some delivered messages.

    `messages` = `charged` + `free` + `unpriced`; `cost` is that of the charged ones. `group` has the values of the
    columns asked for, `cards` the keys of the cards that made the cost.
    """

    step: int
    group: tuple[Any, ...]
    messages: int
    charged: int
    free: int
    cost: Decimal
    cards: tuple[int, ...]

    @property
    def unpriced(self) -> int:
        """The number of messages that Meta charges or may charge, and for which no card has a price."""
        return self.messages - self.charged - self.free


@dataclass(frozen=True, slots=True)
class CostQuestion:
    """Steps begin at `steps` and the last ends at `until`; `group_by` and `filters` name columns of `Charge`.

    `zone`: the caller's time zone, whose days are read whole where they are summed up; None without a caller.
    """

    steps: Sequence[datetime]
    until: datetime
    currency: str
    group_by: Sequence[str] = ()
    filters: Mapping[str, Sequence[Any]] | None = None
    zone: ZoneInfo | None = None


def figures(question: CostQuestion) -> list[Figure]:
    """The figures by step and group, in this order. A step counts from 0. Raises ValueError for other columns."""
    return _fetch(question, [tuple(question.group_by)])[0]


def breakdown(question: CostQuestion) -> dict[str, list[Figure]]:
    """The same charges grouped by each column of `group_by` alone, in one reading of them.

    A figure's `group` has one value. Raises ValueError for other columns.
    """
    names = question.group_by
    return dict(zip(names, _fetch(question, [(name,) for name in names]), strict=True))


def _fetch(question: CostQuestion, sets: Sequence[Sequence[str]]) -> list[list[Figure]]:
    """Figures by each set of columns."""
    filters = question.filters or {}
    if unknown := {*question.group_by, *filters} - COLUMNS:
        raise ValueError(f"Not a column of charges: {sorted(unknown)}")
    prices = prices_of(question.currency)
    known = billed_accounts()
    by_volume = any(price.tier_to is not None for price in prices)
    parameters: dict[str, Any] = {
        "free": FREE,
        **_columns(prices, known),
        **_segments(question, prices, known),
        **{f"only_{name}": list(values) for name, values in filters.items()},
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_PLANNING)
        cursor.execute(statement(sets, list(filters), by_volume=by_volume), parameters)
        rows = cursor.fetchall()
        cursor.execute(_PLANNING_AGAIN)
    return _read(rows, len(sets))


def _segments(question: CostQuestion, prices: Sequence[Price], known: Sequence[Account]) -> dict[str, list[Any]]:
    """The segments to read, as columns. What others will read too is summed up from now on."""
    found = segments(question.steps, question.until, question.zone, prices, {account.zone for account in known})
    if question.zone is not None:
        request_sums([(one.low, one.minutes) for one in found if one.lasting])
    return {
        "segment_steps": [one.step for one in found],
        "segment_since": [one.since for one in found],
        "segment_lows": [one.low for one in found],
        "segment_highs": [one.high for one in found],
        "segment_minutes": [one.minutes for one in found],
    }


def _columns(prices: Sequence[Price], known: Sequence[Account]) -> dict[str, list[Any]]:
    return {
        "numbers": [account.number_id for account in known],
        "portfolios": [account.portfolio for account in known],
        "zones": [account.zone for account in known],
        "markets": [price.market for price in prices],
        "categories": [price.category for price in prices],
        "since": [price.since for price in prices],
        "until": [price.until or _FOREVER for price in prices],
        "tier_from": [price.tier_from for price in prices],
        "tier_to": [price.tier_to for price in prices],
        "prices": [price.price for price in prices],
        "cards": [price.card for price in prices],
    }


def _read(rows: Iterable[Sequence[Any]], sets: int) -> list[list[Figure]]:
    found: list[list[Figure]] = [[] for _ in range(sets)]
    for n, step, group, messages, charged, free, cost, cards in rows:
        figure = Figure(
            step - 1, tuple(json.loads(group)), int(messages), int(charged), int(free), cost, tuple(sorted(cards))
        )
        found[n].append(figure)
    return found


def total(found: Sequence[Figure]) -> Figure:
    """The sum of figures, in step 0 and of no group."""
    return Figure(
        0,
        (),
        sum(one.messages for one in found),
        sum(one.charged for one in found),
        sum(one.free for one in found),
        sum((one.cost for one in found), Decimal(0)),
        tuple(sorted({card for one in found for card in one.cards})),
    )
