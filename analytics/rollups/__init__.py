"""Rollups: counts of messages by quarter of an hour, recounted from the raw rows whenever these change."""

from analytics.rollups.buckets import Period, mark_period, roll_up
from analytics.rollups.days import LONGEST_DAY, request_days, request_sums
from analytics.rollups.dimension_views import NO_DURATIONS, WHOLE, are_empty, day_view_of, left_out_of, view_of
from analytics.rollups.histogram import BOUNDS, PLACES, Kind, percentiles
from analytics.rollups.locks import buckets_where, stop_counting
from analytics.rollups.quarters import QUARTER, quarter_of
from analytics.rollups.running_charges import RUNNING, running_quarter, running_sums
from analytics.rollups.sweep import sweep_standstill_s

__all__ = [
    "BOUNDS",
    "LONGEST_DAY",
    "NO_DURATIONS",
    "PLACES",
    "QUARTER",
    "RUNNING",
    "WHOLE",
    "Kind",
    "Period",
    "are_empty",
    "buckets_where",
    "day_view_of",
    "left_out_of",
    "mark_period",
    "percentiles",
    "quarter_of",
    "request_days",
    "request_sums",
    "roll_up",
    "running_quarter",
    "running_sums",
    "stop_counting",
    "sweep_standstill_s",
    "view_of",
]
