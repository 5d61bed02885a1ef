"""Demonstration data: three months of an invented shop."""

from analytics.demo.days import DAYS
from analytics.demo.fill import BUDGET_CAMPAIGN, Fill, numbers_of_demo
from analytics.demo.removal import Removal

__all__ = ["BUDGET_CAMPAIGN", "DAYS", "Fill", "Removal", "numbers_of_demo"]
