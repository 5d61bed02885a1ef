"""Rollups: counts of messages by quarter of an hour, recounted from the raw rows whenever these change."""

from analytics.rollups.buckets import mark_period, roll_up
from analytics.rollups.histogram import BOUNDS, Kind, percentile
from analytics.rollups.quarters import QUARTER, quarter_of

__all__ = ["BOUNDS", "QUARTER", "Kind", "mark_period", "percentile", "quarter_of", "roll_up"]
