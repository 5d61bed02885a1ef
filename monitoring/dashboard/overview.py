"""The state of the whole pipeline, as data: JSON at `/monitoring/summary`, a page on the dashboard."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitoring.alerts import BY_NAME
from monitoring.dashboard.sections.alerts import AlertView, alert_views
from monitoring.dashboard.sections.lanes import LaneView, lane_views
from monitoring.dashboard.sections.numbers import NumberView, number_views
from monitoring.dashboard.sections.portfolios import PortfolioView, portfolio_views
from monitoring.dashboard.sections.processes import ProcessView, process_views
from monitoring.dashboard.sections.sends import HOUR_S, SendsView, sends_view
from monitoring.dashboard.sections.setup import SetupView, setup_view
from monitoring.dashboard.sections.state import State
from monitoring.health import process_status
from monitoring.metrics import SAMPLE_AGE, Window, gauges
from waproject.metrics.counters import SQS_REQUESTS, WEBHOOKS

# The monitor ticks every 30 s; after three missed ticks it counts as stopped.
MONITOR_STOPPED_AFTER_S = 100
# Messages that are due for longer than a few ticks of the dispatcher, but not yet long enough for an alert.
LAG_S = 15
WEBHOOK_LABELS = {
    "taken": "Accepted",
    "unsigned": "Rejected: not signed by Meta",
    "not_json": "Rejected: not JSON",
    "not_taken": "Not stored; Meta repeats them",
}
FILE_LABELS = {
    "waiting": "Waiting to be fetched from Meta",
    "late": "Late by more than an hour",
    "lost": "Failed in the last 24 hours",
}
HEADLINES = {
    State.OK: "All is well",
    State.ATTENTION: "Working, but something needs attention",
    State.TROUBLE: "Something is wrong",
}


@dataclass(frozen=True, slots=True)
class DispatcherView:
    """In seconds: the time without a release although messages are due; the oldest due message by priority."""

    lag_s: float
    oldest_due_s: dict[str, float]


@dataclass(frozen=True, slots=True)
class Overview:
    """The state of the pipeline. `headline` sums it up, `reasons` says why it is not ok.

    The counts of an hour (`sends.hour`, `sends.codes`, `webhooks`, `sqs_requests_hour`) cover its last `hour_covers_s`
    seconds: all of it, or less after an outage of the monitor.
    """

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
    portfolios: list[PortfolioView]
    setup: SetupView
    sends: SendsView
    webhooks: dict[str, int]
    files: dict[str, int]
    sqs_requests_hour: dict[str, int]
    hour_covers_s: float
    alerts: list[AlertView]

    @property
    def reasons_without_alert(self) -> list[str]:
        """The reasons that are not the summary of an alert."""
        summaries = {_alert_reason(alert) for alert in self.alerts}
        return [reason for reason in self.reasons if reason not in summaries]

    @property
    def labelled_webhooks(self) -> dict[str, int]:
        """The webhooks of the last hour, by label."""
        return {label: self.webhooks.get(outcome, 0) for outcome, label in WEBHOOK_LABELS.items()}

    @property
    def labelled_files(self) -> dict[str, int]:
        """Inbound files that are not stored, by label."""
        return {label: self.files.get(state, 0) for state, label in FILE_LABELS.items()}


def read_overview(window: Window) -> Overview:
    """The overview at the end of a window. Raises django.db errors."""
    alerts = alert_views()
    age = window.value(SAMPLE_AGE.name)
    numbers = number_views(window)
    lanes = lane_views(window, alerts)
    state, reasons = _state_and_reasons(window, alerts, numbers, lanes)
    return Overview(
        at=window.now,
        state=state,
        headline=HEADLINES[state],
        reasons=reasons,
        sample_age_s=age,
        sqs_up=bool(window.value(gauges.SQS_UP.name)),
        lanes=lanes,
        dispatcher=DispatcherView(window.value(gauges.LAG.name) or 0.0, window.by_label(gauges.OLDEST_DUE.name)),
        processes=process_views(process_status()),
        numbers=numbers,
        portfolios=portfolio_views(),
        setup=setup_view(),
        sends=sends_view(window),
        webhooks=window.increases_by_label(HOUR_S, WEBHOOKS.name),
        files={state: round(count) for state, count in window.by_label(gauges.MEDIA_FILES.name).items()},
        sqs_requests_hour=_requests(window),
        hour_covers_s=window.covered_s(HOUR_S),
        alerts=alerts,
    )


def _state_and_reasons(
    window: Window, alerts: Sequence[AlertView], numbers: Sequence[NumberView], lanes: Sequence[LaneView]
) -> tuple[State, list[str]]:
    """The worst state of the alerts and of all that has no alert yet, and a reason for each."""
    found = [*_without_samples(window, alerts)]
    found += [(State.ATTENTION if alert.silenced else alert.state, _alert_reason(alert)) for alert in alerts]
    open_now = {(alert.rule, alert.key) for alert in alerts}
    alerted = {alert.key for alert in alerts}
    found += [
        (number.state, f"The business number {number.name} is {number.word}.")
        for number in numbers
        if number.state != State.OK and number.phone_number_id not in alerted
    ]
    found += [
        (State.ATTENTION, BY_NAME["template-held"].describe(template, 1))
        for template in window.by_label(gauges.TEMPLATE_HELD.name)
        if ("template-held", template) not in open_now
    ]
    found += [(State.ATTENTION, lane.reason) for lane in lanes if lane.reason]
    lag = window.value(gauges.LAG.name) or 0.0
    if lag >= LAG_S and ("dispatcher-lag", "") not in open_now:
        found.append((State.ATTENTION, BY_NAME["dispatcher-lag"].describe("", lag)))
    order = list(State)
    return max((state for state, _ in found), key=order.index, default=State.OK), [reason for _, reason in found]


def _without_samples(window: Window, alerts: Sequence[AlertView]) -> Iterator[tuple[State, str]]:
    """What keeps the alerts from being evaluated."""
    age = window.value(SAMPLE_AGE.name)
    if age is None or age > MONITOR_STOPPED_AFTER_S:
        yield State.TROUBLE, "The monitor does not run: alerts are neither evaluated nor sent."
    if not window.value(gauges.SQS_UP.name) and not any(alert.rule == "sqs-away" for alert in alerts):
        yield State.TROUBLE, "SQS does not answer."


def _alert_reason(alert: AlertView) -> str:
    return f"{alert.summary} (silenced)" if alert.silenced else alert.summary


def _requests(window: Window) -> dict[str, int]:
    """Requests to SQS in the last hour, by action."""
    sums: dict[str, int] = {}
    for series, by in window.increases(HOUR_S, SQS_REQUESTS.name).items():
        sums[series[2]] = sums.get(series[2], 0) + round(by)
    return sums
