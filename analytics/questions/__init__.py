"""Questions about rollups: their periods, parameters, groups and answers, shared by all endpoints of analytics."""

from analytics.questions.asked import Asked
from analytics.questions.csv_answer import CsvRenderer
from analytics.questions.dimensions import DIMENSIONS, Dimension, Kind
from analytics.questions.parameters import GroupedQuery, PeriodQuery, SteppedQuery, read_asked, scope_of
from analytics.questions.periods import BadPeriod, Granularity, Period, period_of, steps, zone_of
from analytics.questions.pieces import days_of
from analytics.questions.view import MAY_SEE, QuestionView, describe

__all__ = [
    "DIMENSIONS",
    "MAY_SEE",
    "Asked",
    "BadPeriod",
    "CsvRenderer",
    "Dimension",
    "Granularity",
    "GroupedQuery",
    "Kind",
    "Period",
    "PeriodQuery",
    "QuestionView",
    "SteppedQuery",
    "days_of",
    "describe",
    "period_of",
    "read_asked",
    "scope_of",
    "steps",
    "zone_of",
]
