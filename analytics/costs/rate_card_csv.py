"""Meta's rate card files, read whole. Pure.

Two layouts, distinguished by their columns; a title above the header line is skipped:

    Market,Currency,Marketing,Utility,Authentication,Authentication-International,Service
    Germany,USD,0.1234,0.0500,0.0500,n/a,n/a

    Market,Currency,Category,From,To,Rate
    Germany,USD,Utility,1,"100,000",0.0500
    Germany,USD,Utility,"100,001",-,0.0400
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from analytics.models import Layout
from analytics.rollups.markets import MARKETS

CATEGORIES = {
    "marketing": "marketing",
    "utility": "utility",
    "authentication": "authentication",
    "authentication-international": "authentication_international",
    "authentication international": "authentication_international",
    "service": "service",
    "marketing lite": "marketing_lite",
}
SYMBOLS = {"$": "USD", "$us": "USD", "us$": "USD", "€": "EUR", "£": "GBP", "₹": "INR", "r$": "BRL", "$mx": "MXN"}
NONE = {"", "-", "–", "n/a", "na"}  # noqa: RUF001 - Meta's dash
OPEN_END = NONE | {"+", "∞", "unlimited"}
TIER_COLUMNS = {"market", "category", "from", "to", "rate"}
MAX_PRICE = Decimal(10_000_000)
MAX_PLACES = 10
MAX_TIER = 10**15
_ALIASES = {"tier from": "from", "volume from": "from", "tier to": "to", "volume to": "to", "price": "rate"}
_MARKETS = {name.casefold(): name for name in MARKETS} | {"türkiye": "Turkey"}


class BadCard(ValueError):
    """A file that is not a rate card; the text names the row (from 1, as a spreadsheet counts) and the column."""


@dataclass(frozen=True, slots=True)
class CardRate:
    """The price of the messages of a month from `tier_from` (how many came before) until before `tier_to`."""

    market: str
    category: str
    tier_from: int
    tier_to: int | None
    price: Decimal


@dataclass(frozen=True, slots=True)
class Card:
    """A file's prices."""

    layout: Layout
    rates: list[CardRate]


@dataclass(frozen=True, slots=True)
class _Row:
    """A line below the header; cells by column, in lower case."""

    n: int
    cells: dict[str, str]
    names: dict[str, str] = field(default_factory=dict)

    def bad(self, column: str, problem: str) -> BadCard:
        given = self.cells.get(column, "")[:60]
        return BadCard(f'Row {self.n}, column {self.names.get(column, column)}: "{given}" {problem}')


def read_card(lines: Iterable[str], currency: str) -> Card:
    """The card in a file's lines. Raises BadCard for the first thing that is wrong."""
    header, rows = _table(csv.reader(lines))
    if header >= TIER_COLUMNS:
        unknown = header - TIER_COLUMNS - {"currency"}
        layout = Layout.TIERS
    else:
        unknown = header - set(CATEGORIES) - {"market", "currency"}
        layout = Layout.LIST
    if unknown:
        raise BadCard(f'Column "{min(unknown)[:60]}" is not known.')
    if layout is Layout.LIST and not header & set(CATEGORIES):
        raise BadCard("There is no column of a category, such as Marketing.")
    read = _tier_rates if layout is Layout.TIERS else _list_rates
    rates: list[CardRate] = []
    for row in rows:
        _check_currency(row, currency)
        rates += read(row, _market(row))
    if not rates:
        raise BadCard("There is no price in the file.")
    _check_once(rates)
    if layout is Layout.TIERS:
        _check_tiers(rates)
    return Card(layout, rates)


def _table(lines: Iterator[Sequence[str]]) -> tuple[set[str], Iterator[_Row]]:
    try:
        for n, line in enumerate(lines, 1):
            columns = [_column(cell) for cell in line]
            if "market" in columns:
                return _header(n, columns), _rows(n, columns, [cell.strip() for cell in line], lines)
    except csv.Error as error:
        raise BadCard(f"Not a CSV file: {error}.") from None
    raise BadCard('There is no header line with the column "Market".')


def _header(n: int, columns: Sequence[str]) -> set[str]:
    named = [column for column in columns if column]
    if twice := {column for column in named if named.count(column) > 1}:
        raise BadCard(f'Row {n}: the column "{min(twice)[:60]}" stands there twice.')
    return set(named)


def _rows(n: int, columns: Sequence[str], names: Sequence[str], lines: Iterator[Sequence[str]]) -> Iterator[_Row]:
    spelled = dict(zip(columns, names, strict=True))
    try:
        for number, line in enumerate(lines, n + 1):
            cells = [cell.strip() for cell in line]
            if not any(cells):
                continue
            if any(cells[len(columns) :]):
                raise BadCard(f"Row {number} has more cells than the header.")
            filled = cells + [""] * (len(columns) - len(cells))
            yield _Row(number, dict(zip(columns, filled, strict=False)), spelled)
    except csv.Error as error:
        raise BadCard(f"Not a CSV file: {error}.") from None


def _column(cell: str) -> str:
    name = re.sub(r"\s+", " ", cell.replace("\ufeff", "").strip().casefold())
    return _ALIASES.get(name, name)


def _market(row: _Row) -> str:
    # Meta writes "Central & Eastern Europe" in its files and "Central and Eastern Europe" on its page.
    name = re.sub(r"\s+", " ", row.cells["market"]).casefold().replace(" and ", " & ")
    if name not in _MARKETS:
        raise row.bad("market", "is not a market that this version knows (analytics/rollups/markets.py).")
    return _MARKETS[name]


def _check_currency(row: _Row, currency: str) -> None:
    given = row.cells.get("currency", "")
    if given and SYMBOLS.get(given.casefold(), given.upper()) != currency:
        raise row.bad("currency", f"is not {currency}.")


def _list_rates(row: _Row, market: str) -> Iterator[CardRate]:
    for column, category in CATEGORIES.items():
        if row.cells.get(column, "").casefold() not in NONE:
            yield CardRate(market, category, 0, None, _price(row, column))


def _tier_rates(row: _Row, market: str) -> Iterator[CardRate]:
    category = CATEGORIES.get(row.cells["category"].casefold())
    if category is None:
        raise row.bad("category", "is not one of Meta's categories.")
    first = _count(row, "from")
    last = None if row.cells["to"].casefold() in OPEN_END else _count(row, "to")
    if last is not None and last < max(first, 1):
        raise row.bad("to", "is below the column From.")
    # Meta counts messages from 1; some of its files begin the first tier at 0.
    if row.cells["rate"].casefold() not in NONE:
        yield CardRate(market, category, max(0, first - 1), last, _price(row, "rate"))


def _price(row: _Row, column: str) -> Decimal:
    text = row.cells[column]
    try:
        # Decimal reads digits of other scripts too, and 0_05 as 5.
        price = Decimal(text if text.isascii() and "_" not in text else "")
    except InvalidOperation:
        raise row.bad(column, "is not a price; a price looks like 0.0123, a missing one like n/a.") from None
    if not price.is_finite() or not 0 <= price < MAX_PRICE:
        raise row.bad(column, "is out of range.")
    exponent = price.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MAX_PLACES:
        raise row.bad(column, f"has over {MAX_PLACES} decimal places.")
    return price


def _count(row: _Row, column: str) -> int:
    digits = re.sub(r"[,\s_]", "", row.cells[column])
    if not re.fullmatch(r"[0-9]{1,16}", digits) or int(digits) > MAX_TIER:
        raise row.bad(column, "is not a number of messages.")
    return int(digits)


def _check_once(rates: list[CardRate]) -> None:
    seen: set[tuple[str, str, int]] = set()
    for rate in rates:
        key = (rate.market, rate.category, rate.tier_from)
        if key in seen:
            raise BadCard(f"{rate.market}, {rate.category}: there are two prices from message {rate.tier_from + 1} on.")
        seen.add(key)


def _check_tiers(rates: list[CardRate]) -> None:
    tiers: dict[tuple[str, str], list[CardRate]] = {}
    for rate in sorted(rates, key=lambda rate: rate.tier_from):
        tiers.setdefault((rate.market, rate.category), []).append(rate)
    for (market, category), steps in tiers.items():
        if steps[0].tier_from != 0:
            raise BadCard(f"{market}, {category}: the first tier begins at message {steps[0].tier_from + 1}, not 1.")
        for before, after in pairwise(steps):
            if before.tier_to != after.tier_from:
                raise BadCard(f"{market}, {category}: the tier after message {before.tier_to} does not follow it.")
        if steps[-1].tier_to is not None:
            raise BadCard(f"{market}, {category}: the last tier ends at message {steps[-1].tier_to}.")
