"""Costs of a period: charges of the database, priced with the cards that were in force when they were delivered.

What is counted is read and priced anew for each question, so nothing drifts and a changed card changes all its
figures. All money is `Decimal` here and `numeric` in PostgreSQL.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from analytics.costs.accounts import Account, billed_accounts, month_begins
from analytics.costs.cards import Price, prices_of
from analytics.questions import DAY_MINUTES, pieces_of

COLUMNS = frozenset({"market", "category", "template", "campaign", "number_id", "client_id", "price_type"})
FREE = ["free_customer_service", "free_entry_point", "free_group_customer_service"]
_FOREVER = date(9999, 12, 31)

# A charge meets each tier that it reaches into; its messages count with the tier in which it begins. Only prices by
# volume ask what came before in the month, which needs the charges one by one.
_FIGURES = """
WITH account AS (
  SELECT * FROM unnest(%(numbers)s::bigint[], %(portfolios)s::text[], %(zones)s::text[])
    AS a(number_id, portfolio, zone)
), price AS (
  SELECT * FROM unnest(%(markets)s::text[], %(categories)s::text[], %(since)s::date[], %(until)s::date[],
    %(tier_from)s::bigint[], %(tier_to)s::bigint[], %(prices)s::numeric[], %(cards)s::bigint[])
    AS p(market, category, since, until, tier_from, tier_to, price, card)
), segment AS (
  SELECT * FROM unnest(%(segment_steps)s::int[], %(segment_since)s::timestamptz[], %(segment_lows)s::timestamptz[],
    %(segment_highs)s::timestamptz[], %(segment_days)s::boolean[]) AS s(step, since, low, high, days)
), piece AS MATERIALIZED (
  SELECT step, since, low, high, false AS clean FROM segment WHERE NOT days
  UNION ALL
  SELECT s.step, s.since, at, at + interval '24 hours',
    EXISTS (SELECT FROM analytics_day d WHERE d.start = at AND d.dirty_since IS NULL)
  FROM segment s CROSS JOIN LATERAL generate_series(s.low, s.high - interval '24 hours', interval '24 hours') AS at
  WHERE s.days
), charge AS (
  {charges}
), priced AS (
  SELECT c.*, p.price, p.card, p.tier_from IS NULL OR p.tier_from <= c.before AS first,
    CASE WHEN p.card IS NOT NULL THEN LEAST(c.before + c.messages, p.tier_to) - GREATEST(c.before, p.tier_from) END
      AS units
  FROM charge c LEFT JOIN price p ON c.price_type = 'regular' AND p.market = c.market AND p.category = c.category
    AND c.day >= p.since AND c.day < p.until AND c.before + c.messages > p.tier_from
    AND (p.tier_to IS NULL OR c.before < p.tier_to)
  WHERE c.asked
)
SELECT {grouping}, step, {groups}sum(messages) FILTER (WHERE first), COALESCE(sum(units), 0),
  COALESCE(sum(messages) FILTER (WHERE price_type = ANY(%(free)s)), 0), COALESCE(sum(units * price), 0),
  COALESCE(array_agg(DISTINCT card) FILTER (WHERE card IS NOT NULL), '{{}}')
FROM priced GROUP BY {sets} ORDER BY step {group_by}
"""
# Days that are summed up are read whole, the rest charge by charge. A segment is a step, or the part of one between two
# changes of prices: all of it has the price of its first day.
_FLAT = """
  SELECT c.step, (c.since AT TIME ZONE a.zone)::date AS day, c.price_type, c.market, c.category, {groups}
    0::bigint AS before, sum(c.messages) AS messages, true AS asked
  FROM (
    SELECT p.step, p.since, c.number_id, c.client_id, c.template, c.campaign, c.market, c.category, c.price_type,
      c.messages
    FROM piece p CROSS JOIN LATERAL (SELECT * FROM analytics_daycharge c WHERE c.start = p.low OFFSET 0) c
    WHERE p.clean
    UNION ALL
    SELECT p.step, p.since, c.number_id, c.client_id, c.template, c.campaign, c.market, c.category, c.price_type,
      c.messages
    FROM piece p CROSS JOIN LATERAL (
      SELECT * FROM analytics_charge c WHERE c.at >= p.low AND c.at < p.high OFFSET 0) c
    WHERE NOT p.clean
  ) c JOIN account a USING (number_id)
  WHERE {filters}
  GROUP BY c.step, c.since, a.zone, c.price_type, c.market, c.category {group_by}
"""
_BY_VOLUME = """
  SELECT width_bucket(c.at, %(steps)s::timestamptz[]) AS step, c.day, c.price_type, c.market, c.category, {groups}
    c.messages, c.at >= %(begin)s AND {filters} AS asked,
    sum(c.messages) OVER (PARTITION BY c.portfolio, c.month, c.market, c.category, c.price_type
      ORDER BY c.at, c.number_id, c.client_id, c.template, c.campaign, c.bucket) - c.messages AS before
  FROM (SELECT c.*, a.portfolio, (c.at AT TIME ZONE a.zone)::date AS day,
      date_trunc('month', c.at AT TIME ZONE a.zone) AS month
    FROM analytics_charge c JOIN account a USING (number_id)
    WHERE c.at >= %(month)s AND c.at < %(end)s) c
"""


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
    """Steps begin at `steps` and the last ends at `until`; `group_by` and `filters` name columns of `Charge`."""

    steps: Sequence[datetime]
    until: datetime
    currency: str
    group_by: Sequence[str] = ()
    filters: Mapping[str, Sequence[Any]] | None = None


def figures(question: CostQuestion) -> list[Figure]:
    """The figures by step and group, in this order. A step counts from 0. Raises ValueError for other columns."""
    return [figure for _, figure in _ask(question, [tuple(question.group_by)])]


def breakdown(question: CostQuestion) -> dict[str, list[Figure]]:
    """The same charges grouped by each column of `group_by` alone, in one reading of them.

    A figure's `group` has one value. Raises ValueError for other columns.
    """
    names = question.group_by
    found: dict[str, list[Figure]] = {name: [] for name in names}
    for mask, figure in _ask(question, [(name,) for name in names]):
        # A bit that is set says that the figure is not by that column; the last column has the lowest.
        place = next(n for n in range(len(names)) if not mask >> (len(names) - 1 - n) & 1)
        found[names[place]].append(replace(figure, group=(figure.group[place],)))
    return found


def _ask(question: CostQuestion, sets: Sequence[Sequence[str]]) -> list[tuple[int, Figure]]:
    """Figures by each set of columns, with the mask of `grouping()`."""
    filters = question.filters or {}
    if unknown := {*question.group_by, *filters} - COLUMNS:
        raise ValueError(f"Not a column of charges: {sorted(unknown)}")
    prices = prices_of(question.currency)
    known = billed_accounts()
    statement = _statement(question, sets, by_volume=any(price.tier_to is not None for price in prices))
    parameters: dict[str, Any] = {
        "steps": list(question.steps),
        "begin": question.steps[0],
        "end": question.until,
        "month": month_begins(question.steps[0], {account.zone for account in known}),
        "free": FREE,
        **_columns(prices, known),
        **_segments(question, prices, {account.zone for account in known}),
        **{f"only_{name}": list(values) for name, values in filters.items()},
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(_read(cursor.fetchall(), len(question.group_by)))


def _statement(question: CostQuestion, sets: Sequence[Sequence[str]], *, by_volume: bool) -> str:
    names = [name for name in question.group_by if name not in {"market", "category", "price_type"}]
    filters = [f"c.{name} = ANY(%(only_{name})s)" for name in question.filters or {}]
    charges = (_BY_VOLUME if by_volume else _FLAT).format(
        groups="".join(f"c.{name}, " for name in names),
        group_by="".join(f", c.{name}" for name in names),
        filters=" AND ".join(filters) or "true",
    )
    by = [", ".join(("step", *one)) for one in sets]
    return _FIGURES.format(
        charges=charges,
        grouping=f"grouping({', '.join(question.group_by)})" if question.group_by else "0",
        groups="".join(f"{name}, " for name in question.group_by),
        sets="GROUPING SETS (" + ", ".join(f"({columns})" for columns in by) + ")",
        group_by="".join(f", {name}" for name in question.group_by),
    )


def _segments(question: CostQuestion, prices: Sequence[Price], zones: Iterable[str]) -> dict[str, list[Any]]:
    """The pieces of each step, cut where a price begins or ends."""
    days = {day for price in prices for day in (price.since, price.until) if day and day != date.min}
    changes = {
        datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
        for day in days
        if day < _FOREVER
        for zone in zones
    }
    begin = question.steps[0]
    cuts = sorted({*question.steps, *(at for at in changes if begin < at < question.until)})
    found = pieces_of(cuts, question.until)
    return {
        "segment_steps": [bisect_right(question.steps, cuts[one.step]) for one in found],
        "segment_since": [cuts[one.step] for one in found],
        "segment_lows": [one.low for one in found],
        "segment_highs": [one.high for one in found],
        "segment_days": [one.minutes == DAY_MINUTES for one in found],
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


def _read(rows: Sequence[Sequence[Any]], groups: int) -> Iterator[tuple[int, Figure]]:
    for mask, step, *rest in rows:
        group, (messages, charged, free, cost, cards) = tuple(rest[:groups]), rest[groups:]
        yield mask, Figure(step - 1, group, int(messages), int(charged), int(free), cost, tuple(sorted(cards)))


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
