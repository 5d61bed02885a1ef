"""The whole pipeline at a glance, as data: `/monitoring/summary` shows it as JSON, the dashboard as a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitoring.alerts import Severity
from monitoring.dashboard.board.alerts import AlertView, alert_views
from monitoring.dashboard.board.lanes import LaneView, lane_views
from monitoring.dashboard.board.numbers import NumberView, number_views
from monitoring.dashboard.board.processes import ProcessView, process_views
from monitoring.dashboard.board.sends import HOUR_S, SendsView, sends_view
from monitoring.dashboard.board.state import State
from monitoring.health import workers
from monitoring.metrics import SAMPLE_AGE, Window, gauges
from waproject.metrics.counters import SQS_REQUESTS, WEBHOOKS

# The monitor's ticks are 30 s apart; when three are missing it does not run.
MONITOR_GONE_S = 100
WEBHOOK_WORDS = {
    "taken": "Taken",
    "unsigned": "Refused: not signed by Meta",
    "not_json": "Refused: not JSON",
    "not_taken": "Not stored: Meta repeats them",
}
FILE_WORDS = {
    "waiting": "On their way from Meta",
    "late": "Not here after an hour",
    "lost": "Failed in the last 24 h",
}
HEADLINES = {
    State.OK: "All is well",
    State.ATTENTION: "It works, and something needs attention",
    State.TROUBLE: "Something is wrong",
}


@dataclass(frozen=True, slots=True)
class DispatcherView:
    """Seconds: how long nothing was released although something may go; the oldest due message by priority."""

    lag_s: float
    oldest_due_s: dict[str, float]


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it. `headline` answers: is it all right, and if not, where."""

    at: datetime
    state: State
    headline: str
    reasons: list[str]
    sample_age_s: float | None
    sqs_up: bool
    lanes: list[LaneView]
    dispatcher: DispatcherView
    processes: list[ProcessView]
    numbers: list[NumberView]
    sends: SendsView
    webhooks: dict[str, int]
    files: dict[str, int]
    sqs_requests_hour: dict[str, int]
    alerts: list[AlertView]

    @property
    def unalerted(self) -> list[str]:
        """The reasons that no alert speaks of."""
        told = {alert.summary for alert in self.alerts}
        return [reason for reason in self.reasons if reason not in told]

    @property
    def webhook_words(self) -> dict[str, int]:
        """The webhooks of the last hour, in words."""
        return {words: self.webhooks.get(outcome, 0) for outcome, words in WEBHOOK_WORDS.items()}

    @property
    def file_words(self) -> dict[str, int]:
        """Files that users sent and that are not here, in words."""
        return {words: self.files.get(state, 0) for state, words in FILE_WORDS.items()}


def overview(window: Window) -> Overview:
    """Made of a window and the open alerts. Raises django.db errors."""
    alerts = alert_views()
    age = window.value(SAMPLE_AGE.name)
    numbers = number_views(window)
    state, reasons = _judge(alerts, age, window, numbers)
    return Overview(
        at=window.now,
        state=state,
        headline=HEADLINES[state],
        reasons=reasons,
        sample_age_s=age,
        sqs_up=bool(window.value(gauges.SQS_UP.name)),
        lanes=lane_views(window, alerts),
        dispatcher=DispatcherView(window.value(gauges.LAG.name) or 0.0, window.by_label(gauges.OLDEST_DUE.name)),
        processes=process_views(workers()),
        numbers=numbers,
        sends=sends_view(window),
        webhooks=window.counted(HOUR_S, WEBHOOKS.name),
        files={state: round(count) for state, count in window.by_label(gauges.MEDIA_FILES.name).items()},
        sqs_requests_hour=_requests(window),
        alerts=alerts,
    )


def _judge(
    alerts: Sequence[AlertView], age: float | None, window: Window, numbers: Sequence[NumberView]
) -> tuple[State, list[str]]:
    """The worst of the alerts that are open and not silenced, of the monitor and of the numbers."""
    reasons = []
    loud = [alert for alert in alerts if not alert.silenced]
    if age is None or age > MONITOR_GONE_S:
        reasons.append("The monitor does not run: nobody watches, and nobody would be told.")
    if not window.value(gauges.SQS_UP.name) and not any(alert.rule == "sqs-away" for alert in loud):
        reasons.append("SQS does not answer.")
    serious = bool(reasons) or any(alert.severity == Severity.CRITICAL for alert in loud)
    reasons += [alert.summary for alert in loud]
    told = {alert.key for alert in alerts}
    slow = [number for number in numbers if number.state != State.OK and number.phone_number_id not in told]
    reasons += [f"The business number {number.name} is {number.word}." for number in slow]
    if serious or any(number.state == State.TROUBLE for number in slow):
        return State.TROUBLE, reasons
    return (State.ATTENTION if reasons else State.OK), reasons


def _requests(window: Window) -> dict[str, int]:
    """Requests to SQS in the last hour, by action."""
    sums: dict[str, int] = {}
    for series, grown in window.growths(HOUR_S, SQS_REQUESTS.name).items():
        sums[series[2]] = sums.get(series[2], 0) + round(grown)
    return sums
