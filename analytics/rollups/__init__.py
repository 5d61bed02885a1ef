"""Rollups: counts of messages by quarter of an hour, recounted from the raw rows whenever these change."""

from analytics.rollups.buckets import Period, mark_period, roll_up
from analytics.rollups.days import LONGEST_DAY, request_days, request_sums
from analytics.rollups.dimension_views import NO_DURATIONS, day_view_of, view_of
from analytics.rollups.histogram import BOUNDS, PLACES, Kind, percentiles
from analytics.rollups.locks import buckets_where, stop_counting
from analytics.rollups.quarters import QUARTER, quarter_of
from analytics.rollups.running_charges import RUNNING, running_quarter, running_sums

__all__ = [
    "BOUNDS",
    "LONGEST_DAY",
    "NO_DURATIONS",
    "PLACES",
    "QUARTER",
    "RUNNING",
    "Kind",
    "Period",
    "buckets_where",
    "day_view_of",
    "mark_period",
    "percentiles",
    "quarter_of",
    "request_days",
    "request_sums",
    "roll_up",
    "running_quarter",
    "running_sums",
    "stop_counting",
    "view_of",
]
