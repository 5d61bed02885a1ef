"""Checks of the whole set-up: at Meta, and of our own parts."""

from monitoring.setup.hourly_check import HourlyCheck
from monitoring.setup.pipeline_checks import pipeline_findings

__all__ = ["HourlyCheck", "pipeline_findings"]
