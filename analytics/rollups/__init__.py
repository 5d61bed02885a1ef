"""Rollups: counts of messages by quarter of an hour, recounted from the raw rows whenever these change."""

from analytics.rollups.buckets import Period, mark_period, roll_up
from analytics.rollups.days import request_days
from analytics.rollups.histogram import BOUNDS, PLACES, Kind, percentiles
from analytics.rollups.quarters import QUARTER, quarter_of
from analytics.rollups.views import NO_DURATIONS, day_view_of, view_of

__all__ = [
    "BOUNDS",
    "NO_DURATIONS",
    "PLACES",
    "QUARTER",
    "Kind",
    "Period",
    "day_view_of",
    "mark_period",
    "percentiles",
    "quarter_of",
    "request_days",
    "roll_up",
    "view_of",
]
