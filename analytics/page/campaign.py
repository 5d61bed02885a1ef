"""The head of the page about one campaign: what it cost, for each result, and its budgets."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from analytics.costs import money
from analytics.models import Budget
from analytics.page.cost_panel import CostPanel
from messaging.models import Hold

# A ten-thousandth: prices of one message have four places.
PLACES = Decimal("0.0001")
RESULTS = {"delivered": "for each delivered message", "read": "for each read message", "answered": "for each answer"}


@dataclass(frozen=True, slots=True)
class CampaignHead:
    """A campaign. `cost` is None where nothing has a price; `shares` the cost of one result, with its text."""

    name: str
    cost: str | None
    unpriced: int
    currency: str
    shares: list[tuple[str | None, str]]
    budgets: list[Budget]
    held: bool


def campaign_head(name: str, counts: Mapping[str, Any], costs: CostPanel) -> CampaignHead | None:
    """The head, from the counts of the campaign (`answers.summary`) and its costs; None where costs are not known."""
    total = costs.total
    if total is None:
        return None
    shares = [(_share(total["cost"], counts[result]), words) for result, words in RESULTS.items()]
    return CampaignHead(
        name=name,
        cost=total["cost"],
        unpriced=total["unpriced"],
        currency=costs.currency,
        shares=shares,
        budgets=list(Budget.objects.filter(campaign=name, active=True).select_related("client")),
        held=Hold.objects.filter(kind__in=("campaign", "budget"), key=name, resumed_at=None).exists(),
    )


def _share(cost: str | None, results: int) -> str | None:
    return money((Decimal(cost) / results).quantize(PLACES)) if cost is not None and results else None
