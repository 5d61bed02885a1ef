"""The costs on the page: by market, category, template and campaign, with the rate cards that made them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from analytics.costs import (
    DIMENSIONS,
    CostQuestion,
    billed_accounts,
    breakdown,
    cards_of,
    filters_of,
    row_of,
    rows_of,
    total,
)
from analytics.models import RateCard
from analytics.questions import Question

TITLES = {"market": "Market", "category": "Category", "template": "Template", "campaign": "Campaign"}
# The label of what has no value. A message lacks a category if its status gave no price.
NONE = {"category": "not said by Meta", "template": "no template", "campaign": "no campaign"}
LISTED = 10
# Filters of the page that charges have too. Inbound messages cost nothing.
SAME = (*DIMENSIONS, "account", "price_type", "direction")


@dataclass(frozen=True, slots=True)
class Row:
    """A market, category, template or campaign: its figures (`answers.row_of`), and its messages in the admin.

    `cost`: as it stands in the table.
    """

    name: str
    figures: dict[str, Any]
    cost: str
    messages_url: str
    page_url: str


@dataclass(frozen=True, slots=True)
class Table:
    """The costs by one dimension, of at most LISTED values; `more` are left out."""

    key: str
    title: str
    rows: list[Row]
    more: int


@dataclass(frozen=True, slots=True)
class CostPanel:
    """The content of the section. `total` is None if charges lack a filter of the page: `unknown` names these filters.

    `has_card`: whether any card in this currency has begun.
    """

    currency: str
    market: str
    unknown: list[str]
    has_card: bool
    total: dict[str, Any] | None
    tables: list[Table]


# (name, value) of a dimension: the address of its messages, or of the page about it.
Link = Callable[[str, str], str]


def cost_panel(question: Question, currency: str, market: str, messages_url: Link, page_url: Link) -> CostPanel:
    """The costs of what was delivered in the question's period; `market` empty: of all."""
    filters = {name: str(value) for name, value in (question.filters or {}).items()}
    unknown = sorted(name for name in filters if name not in SAME)
    cards = RateCard.objects.filter(currency=currency, valid_from__lte=timezone.now())
    begun: dict[str, Any] = {
        "currency": currency,
        "market": market,
        "unknown": unknown,
        "has_card": cards.exists(),
    }
    if unknown or filters.get("direction") == "inbound":
        return CostPanel(**begun, total=None, tables=[])
    # A table by what the page filters by would repeat the total.
    single = {*filters, *(["market"] if market else [])}
    names = [name for name in TITLES if name not in single]
    costs = CostQuestion(
        [question.period.since],
        question.period.until,
        currency,
        # The total is the sum of any table.
        names or ["market"],
        _columns(filters, market, question.client_id),
        question.period.zone,
    )
    found = breakdown(costs)
    whole = next(iter(found.values()))
    tables = []
    for name in names:
        listed = rows_of(found[name], [name], None, LISTED)
        written = aligned([row["cost"] for row in listed])
        rows = [_row(name, row, cost, messages_url, page_url) for row, cost in zip(listed, written, strict=True)]
        tables.append(Table(name, TITLES[name], rows, len(found[name]) - len(rows)))
    return CostPanel(**begun, total=row_of(total(whole), cards_of(whole)), tables=tables)


def _row(name: str, row: Mapping[str, Any], cost: str, messages_url: Link, page_url: Link) -> Row:
    value = row[name]
    figures = {key: of for key, of in row.items() if key != name}
    return Row(value or NONE[name], figures, cost, messages_url(name, value), page_url(name, value) if value else "")


def aligned(costs: Sequence[str | None]) -> list[str]:
    """The costs of a column, all with as many decimal places as the longest: their points stand below each other."""
    places = max((len(cost.partition(".")[2]) for cost in costs if cost is not None), default=0)
    return ["unpriced" if cost is None else f"{Decimal(cost):,.{places}f}" for cost in costs]


def _columns(filters: Mapping[str, str], market: str, client_id: int | None) -> dict[str, Sequence[Any]]:
    """The page's filters as columns of charges."""
    named = {name: value for name, value in filters.items() if name in DIMENSIONS}
    found = filters_of({**named, **({"market": market} if market else {})}, client_id)
    if "price_type" in filters:
        found["price_type"] = [filters["price_type"]]
    if "account" in filters:
        numbers = {one.number_id for one in billed_accounts() if one.waba_id == filters["account"]}
        found["number_id"] = sorted(numbers & {*found.get("number_id", numbers)})
    return found
