"""Questions about rollups: their periods, parameters, groups and answers, shared by all endpoints of analytics."""

from analytics.questions.csv_answer import CsvRenderer, RowsResponse
from analytics.questions.dimensions import DIMENSIONS, Dimension, Kind
from analytics.questions.names import conditions, load_names, name_of
from analytics.questions.parameters import GroupedQuery, PeriodQuery, SteppedQuery, read_question, scope_of
from analytics.questions.periods import DEFAULT_DAYS, BadPeriod, Granularity, Period, period_of, steps, zone_of
from analytics.questions.question import Question
from analytics.questions.rollup_ranges import DAY_MINUTES, days_of, rollup_ranges
from analytics.questions.sums import busiest
from analytics.questions.view import MAY_SEE, QuestionView, describe

__all__ = [
    "DAY_MINUTES",
    "DEFAULT_DAYS",
    "DIMENSIONS",
    "MAY_SEE",
    "BadPeriod",
    "CsvRenderer",
    "Dimension",
    "Granularity",
    "GroupedQuery",
    "Kind",
    "Period",
    "PeriodQuery",
    "Question",
    "QuestionView",
    "RowsResponse",
    "SteppedQuery",
    "busiest",
    "conditions",
    "days_of",
    "describe",
    "load_names",
    "name_of",
    "period_of",
    "read_question",
    "rollup_ranges",
    "scope_of",
    "steps",
    "zone_of",
]
