"""The numbers section: state, pace and quality of each business number."""

from dataclasses import dataclass
from datetime import datetime

from messaging import monitoring_queries as queries
from messaging.monitoring_queries import NumberState
from monitoring.dashboard.sections.state import State
from monitoring.metrics import Window, gauges


@dataclass(frozen=True, slots=True)
class NumberView:
    """One business number; `pace` in messages a second."""

    phone_number_id: str
    name: str
    state: State
    word: str
    pace: float
    rate: int
    reason: str
    since: datetime | None


def number_views(window: Window) -> list[NumberView]:
    """All numbers. Raises django.db errors."""
    return [_number(number, window) for number in queries.number_states()]


def _number(number: NumberState, window: Window) -> NumberView:
    if number.paused_at:
        state, word, since = State.TROUBLE, "paused", number.paused_at
    elif number.probing:
        state, word, since = State.TROUBLE, "probing", None
    elif number.throttled_until and number.throttled_until > window.now:
        state, word, since = State.ATTENTION, "throttled", None
    elif window.value(gauges.QUALITY_LOW.name, number.phone_number_id):
        state, word, since = State.ATTENTION, "low quality", None
    else:
        state, word, since = State.OK, "sending", None
    return NumberView(
        number.phone_number_id,
        number.name,
        state,
        word,
        0.0 if number.paused_at else number.pace,
        number.rate,
        number.pause_reason,
        since,
    )
