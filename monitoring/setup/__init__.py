"""Checks of the whole set-up: at Meta, and of our own parts."""

from monitoring.setup.hourly_check import HourlyCheck
from monitoring.setup.own_parts import own_findings

__all__ = ["HourlyCheck", "own_findings"]
