"""The tables of analytics."""

from analytics.models.budgets import Budget, BudgetPeriod, BudgetState
from analytics.models.costs import Charge, DayCharge, Layout, Rate, RateCard, RunningCharge
from analytics.models.events import (
    CONTACT_LENGTH,
    EVENT_ID_LENGTH,
    EVENT_TYPE_LENGTH,
    REFERENCE_LENGTH,
    Event,
)
from analytics.models.rollups import (
    Bucket,
    Cursor,
    Day,
    Dimensions,
    Histogram,
    Rollup,
)

__all__ = [
    "CONTACT_LENGTH",
    "EVENT_ID_LENGTH",
    "EVENT_TYPE_LENGTH",
    "REFERENCE_LENGTH",
    "Bucket",
    "Budget",
    "BudgetPeriod",
    "BudgetState",
    "Charge",
    "Cursor",
    "Day",
    "DayCharge",
    "Dimensions",
    "Event",
    "Histogram",
    "Layout",
    "Rate",
    "RateCard",
    "Rollup",
    "RunningCharge",
]
