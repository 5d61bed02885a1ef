"""Business portfolios: their messaging limit, who counts against it, and how long sends will wait for it."""

from messaging.portfolios.budget import Budget
from messaging.portfolios.forecast import (
    LimitForecast,
    clear_limit_cache,
    limit_forecasts,
    limit_warning,
    messages_on_hold,
    waiting_until,
)
from messaging.portfolios.number_portfolios import assign_portfolio, assign_portfolios, read_limit_event, store_limit
from messaging.portfolios.opened_recipients import (
    Count,
    Opening,
    Rejection,
    Usage,
    count_expression,
    lock_count,
    move_windows,
    uncount_openings,
    usage_of,
)

__all__ = [
    "Budget",
    "Count",
    "LimitForecast",
    "Opening",
    "Rejection",
    "Usage",
    "assign_portfolio",
    "assign_portfolios",
    "clear_limit_cache",
    "count_expression",
    "limit_forecasts",
    "limit_warning",
    "lock_count",
    "messages_on_hold",
    "move_windows",
    "read_limit_event",
    "store_limit",
    "uncount_openings",
    "usage_of",
    "waiting_until",
]
