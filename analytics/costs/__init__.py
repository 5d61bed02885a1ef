"""Costs of messages: rate cards, charges, budgets, estimates."""

from analytics.costs.accounts import billed_accounts
from analytics.costs.answers import cards_of, money, row_of, rows_of
from analytics.costs.budgets import budgets_near_limit, check_budgets
from analytics.costs.dimensions import DIMENSIONS, filters_of
from analytics.costs.estimates import estimate
from analytics.costs.figures import CostQuestion, breakdown, total

__all__ = [
    "DIMENSIONS",
    "CostQuestion",
    "billed_accounts",
    "breakdown",
    "budgets_near_limit",
    "cards_of",
    "check_budgets",
    "estimate",
    "filters_of",
    "money",
    "row_of",
    "rows_of",
    "total",
]
