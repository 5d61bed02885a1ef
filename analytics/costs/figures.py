"""Costs of a period: charges of the database, priced with the cards that were in force when they were delivered.

What is counted is read and priced anew for each question, so nothing drifts and a changed card changes all its
figures. All money is `Decimal` here and `numeric` in PostgreSQL.
"""

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from analytics.costs.accounts import Account, billed_accounts, month_begins
from analytics.costs.cards import Price, prices_of
from analytics.costs.statement import statement
from analytics.models import Day
from analytics.questions import DAY_MINUTES, days_of, pieces_of

COLUMNS = frozenset({"market", "category", "template", "campaign", "number_id", "client_id", "price_type"})
FREE = ["free_customer_service", "free_entry_point", "free_group_customer_service"]
_FOREVER = date(9999, 12, 31)
_EPOCH, DAY = datetime(1970, 1, 1, tzinfo=UTC), timedelta(days=1)


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

    `days`: where days begin by the asker's clock; they are read whole where they are summed up.
    """

    steps: Sequence[datetime]
    until: datetime
    currency: str
    group_by: Sequence[str] = ()
    filters: Mapping[str, Sequence[Any]] | None = None
    days: Sequence[datetime] = ()


def figures(question: CostQuestion) -> list[Figure]:
    """The figures by step and group, in this order. A step counts from 0. Raises ValueError for other columns."""
    return _ask(question, [tuple(question.group_by)])[0]


def breakdown(question: CostQuestion) -> dict[str, list[Figure]]:
    """The same charges grouped by each column of `group_by` alone, in one reading of them.

    A figure's `group` has one value. Raises ValueError for other columns.
    """
    names = question.group_by
    return dict(zip(names, _ask(question, [(name,) for name in names]), strict=True))


def _ask(question: CostQuestion, sets: Sequence[Sequence[str]]) -> list[list[Figure]]:
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
        **_segments(question, prices, {account.zone for account in known}, by_volume=by_volume),
        **{f"only_{name}": list(values) for name, values in filters.items()},
    }
    with transaction.atomic(), connection.cursor() as cursor:
        # Planned as many wide groups, sums would be sorted on disk; there are few, and hashing takes a quarter of that.
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(statement(sets, list(filters), by_volume=by_volume), parameters)
        rows = cursor.fetchall()
        cursor.execute("SET LOCAL enable_sort = on")
    return _read(rows, len(sets))


def _segments(
    question: CostQuestion, prices: Sequence[Price], zones: Iterable[str], *, by_volume: bool
) -> dict[str, list[Any]]:
    """The pieces of each step, cut where a price begins or ends; with prices by volume also of the months before, in
    step 0, cut where months begin."""
    days = {day for price in prices for day in (price.since, price.until) if day and date.min < day < _FOREVER}
    begin = question.steps[0]
    if by_volume:
        begin = month_begins(begin, zones).astimezone(UTC)
        days |= set(_months(begin, question.until))
    changes = {datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC) for day in days for zone in zones}
    cuts = sorted({begin, *question.steps, *(at for at in changes if begin < at < question.until)})
    finer = sorted({*cuts, *_local_days(question)})
    found = pieces_of(finer, question.until)
    return {
        "segment_steps": [bisect_right(question.steps, finer[one.step]) for one in found],
        "segment_since": [cuts[bisect_right(cuts, finer[one.step]) - 1] for one in found],
        "segment_lows": [one.low for one in found],
        "segment_highs": [one.high for one in found],
        "segment_days": [one.minutes == DAY_MINUTES for one in found],
    }


def _local_days(question: CostQuestion) -> Sequence[datetime]:
    """The question's days, if at least as many are summed up as days in UTC, which are read otherwise."""
    begin, until = question.steps[0], question.until
    inside = [day for day in question.days if begin <= day < until]
    first = begin + (_EPOCH - begin) % DAY
    in_utc = [first + DAY * n for n in range((until - first) // DAY)] if first < until else []
    if not inside or inside[0] == first:
        return ()
    summed = Day.objects.filter(dirty_since=None)
    local, utc = (summed.filter(start__in=days).count() for days in (days_of(inside, until), in_utc))
    return inside if local >= utc else ()


def _months(begin: datetime, until: datetime) -> Iterator[date]:
    """The first days of the months between two times, in any zone."""
    day = begin.date().replace(day=1)
    while day <= until.date() + timedelta(days=1):
        yield day
        day = (day + timedelta(days=32)).replace(day=1)


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
