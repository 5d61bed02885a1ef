"""The whole pipeline at a glance, as data: `/monitoring/summary` shows it as JSON, the dashboard as a page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from django.db.models import QuerySet

from messaging.models import BusinessNumber
from messaging.states import Status
from messaging.whatsapp.codes import describe
from monitoring import gauges
from monitoring.alert_state import Severity
from monitoring.alerts import open_alerts, with_silences
from monitoring.gauges import SAMPLE_AGE
from monitoring.lane_counts import FAILURES, MESSAGES, RETRIES, SEND_LATENCY
from monitoring.models import Alert
from monitoring.quantiles import quantile
from monitoring.rules import BY_NAME, outcomes
from monitoring.samples import Moment, growth, per_second
from monitoring.window import Window
from monitoring.workers import State as Life
from monitoring.workers import Workers, workers
from waproject.metrics import SQS_MESSAGES, SQS_REQUESTS, WEBHOOKS
from waproject.queues import LANES, Lane

RATE_S = 60
LATENCY_S = 300
HOUR_S = 3600
TOP_CODES = 5
# The monitor's ticks are 30 s apart; when three are missing it does not run.
MONITOR_GONE_S = 100


class State(StrEnum):
    """How it is, in one word."""

    OK = "ok"
    ATTENTION = "attention"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class LaneView:
    """One lane; rates in messages a second, None where nothing is known. `spark`: its out rate over the last hour."""

    name: str
    state: State
    waiting: int | None
    in_flight: int | None
    delayed: int | None
    dlq: int | None
    oldest_s: float | None
    in_rate: float | None
    out_rate: float | None
    word: str = ""
    spark: list[float] = field(default_factory=list)


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


@dataclass(frozen=True, slots=True)
class CodeView:
    """How often an error code came in the last hour, and what it means."""

    code: str
    meaning: str
    failed: int
    retried: int


@dataclass(frozen=True, slots=True)
class SendsView:
    """The outgoing lane's messages. `hour`: how many reached a state in the last hour; rates of the last 5 minutes."""

    waiting: dict[str, int]
    hour: dict[str, int]
    p50_s: float | None
    p95_s: float | None
    per_second: float
    success_rate: float | None
    error_rate: float | None
    codes: list[CodeView]
    unknown_settling: int
    unknown_held: int
    doubled: int


@dataclass(frozen=True, slots=True)
class DispatcherView:
    """Seconds: how long nothing was released although something may go; the oldest due message by priority."""

    lag_s: float
    oldest_due_s: dict[str, float]


@dataclass(frozen=True, slots=True)
class ProcessView:
    """The processes of one name, or a kind of which none is alive."""

    kind: str
    name: str
    state: State
    word: str
    age_s: float | None
    crashes: int


@dataclass(frozen=True, slots=True)
class AlertView:
    """One open alert."""

    id: int
    rule: str
    key: str
    severity: str
    summary: str
    since: datetime
    acknowledged_by: str
    silenced: bool
    action: str
    state: State


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


WEBHOOK_WORDS = {
    "taken": "Taken",
    "unsigned": "Refused: not signed by Meta",
    "not_json": "Refused: not JSON",
    "not_taken": "Not stored: Meta repeats them",
}
HEADLINES = {
    State.OK: "All is well",
    State.ATTENTION: "It works, and something needs attention",
    State.TROUBLE: "Something is wrong",
}


def overview(window: Window) -> Overview:
    """Made of a window and the open alerts. Raises django.db errors."""
    alerts = [_alert(alert) for alert in with_silences(open_alerts())]
    age = window.value(SAMPLE_AGE.name)
    state, reasons = _judge(alerts, age, window)
    return Overview(
        at=window.now,
        state=state,
        headline=HEADLINES[state],
        reasons=reasons,
        sample_age_s=age,
        sqs_up=bool(window.value(gauges.SQS_UP.name)),
        lanes=[_lane(lane, window, alerts) for lane in LANES.values()],
        dispatcher=DispatcherView(window.value(gauges.LAG.name) or 0.0, window.by_label(gauges.OLDEST_DUE.name)),
        processes=_processes(workers()),
        numbers=_numbers(BusinessNumber.objects.order_by("phone_number_id"), window),
        sends=_sends(window),
        webhooks=_hour(window, WEBHOOKS.name),
        sqs_requests_hour=_requests(window),
        alerts=alerts,
    )


def _judge(alerts: Sequence[AlertView], age: float | None, window: Window) -> tuple[State, list[str]]:
    """The worst of what is open and not silenced; a monitor that does not run would find nothing."""
    reasons = []
    loud = [alert for alert in alerts if not alert.silenced]
    if age is None or age > MONITOR_GONE_S:
        reasons.append("The monitor does not run: nobody watches, and nobody would be told.")
    if not window.value(gauges.SQS_UP.name) and not any(alert.rule == "sqs-away" for alert in loud):
        reasons.append("SQS does not answer.")
    serious = bool(reasons) or any(alert.severity == Severity.CRITICAL for alert in loud)
    reasons += [alert.summary for alert in loud]
    if serious:
        return State.TROUBLE, reasons
    return (State.ATTENTION if loud else State.OK), reasons


def _alert(alert: Alert) -> AlertView:
    return AlertView(
        alert.pk,
        alert.rule,
        alert.key,
        alert.severity,
        alert.summary,
        alert.since,
        alert.acknowledged_by,
        alert.silenced,  # type: ignore[attr-defined]  # with_silences
        rule.action if (rule := BY_NAME.get(alert.rule)) else "",
        State.TROUBLE if alert.severity == Severity.CRITICAL else State.ATTENTION,
    )


def _lane(lane: Lane, window: Window, alerts: Sequence[AlertView]) -> LaneView:
    counts = {state: _whole(window.value(gauges.QUEUE.name, lane.name, state)) for state in _QUEUE_STATES}
    queue = lane.url.rsplit("/", 1)[-1]
    recent = window.last(RATE_S)
    state = _state_of(lane.name, alerts, ("lane-waiting", "lane-age", "dlq-not-empty"))
    out = per_second(recent, SQS_MESSAGES.name, queue, "DeleteMessage")
    return LaneView(
        name=lane.name,
        state=State.TROUBLE if counts["waiting"] is None else state,
        word=_lane_word(state, counts["waiting"], out),
        dlq=_whole(window.value(gauges.DLQ.name, lane.name)),
        oldest_s=window.value(gauges.QUEUE_AGE.name, lane.name),
        in_rate=per_second(recent, SQS_MESSAGES.name, queue, "SendMessage"),
        out_rate=out,
        spark=_spark(window, SQS_MESSAGES.name, queue, "DeleteMessage"),
        **counts,
    )


def _lane_word(state: State, waiting: int | None, out_rate: float | None) -> str:
    if waiting is None:
        return "not known"
    if state is State.OK:
        return "moving" if waiting or out_rate else "idle"
    return LANE_WORDS[state]


LANE_WORDS = {State.ATTENTION: "needs attention", State.TROUBLE: "in trouble"}
_QUEUE_STATES = ("waiting", "in_flight", "delayed")


def _state_of(key: str, alerts: Sequence[AlertView], rules: tuple[str, ...]) -> State:
    mine = [alert.severity for alert in alerts if alert.key == key and alert.rule in rules]
    if Severity.CRITICAL in mine:
        return State.TROUBLE
    return State.ATTENTION if mine else State.OK


def _spark(window: Window, *series: str) -> list[float]:
    """The rate between neighbouring moments, the oldest first."""
    pairs = pairwise(window.moments)
    return [round(per_second(pair, *series) or 0.0, 3) for pair in pairs]


def _processes(seen: Workers) -> list[ProcessView]:
    """What is missing or gone comes first."""
    views = [ProcessView(kind, kind, State.TROUBLE, "missing", None, 0) for kind in seen.missing]
    for process in seen.processes:
        if process.state is not Life.REPLACED:
            state, word = PROCESS_STATES[process.state]
            views.append(ProcessView(process.kind, process.name, state, word, process.age_s, process.crashes))
    order = list(State)
    return sorted(views, key=lambda view: (-order.index(view.state), view.kind, view.name))


PROCESS_STATES = {Life.ALIVE: (State.OK, "alive"), Life.GONE: (State.ATTENTION, "gone")}


def _numbers(numbers: QuerySet[BusinessNumber], window: Window) -> list[NumberView]:
    return [_number(number, window) for number in numbers]


def _number(number: BusinessNumber, window: Window) -> NumberView:
    if number.paused_at:
        state, word, since = State.TROUBLE, "paused", number.paused_at
    elif number.probe_at:
        state, word, since = State.TROUBLE, "probing", None
    elif number.throttled_until and number.throttled_until > window.now:
        state, word, since = State.ATTENTION, "throttled", None
    else:
        state, word, since = State.OK, "sending", None
    pace = window.value(gauges.PACE.name, number.phone_number_id)
    return NumberView(
        number.phone_number_id,
        str(number),
        state,
        word,
        0.0 if number.paused_at else float(number.rate) if pace is None else pace,
        number.rate,
        number.pause_reason,
        since,
    )


def _sends(window: Window) -> SendsView:
    reached = _hour(window, MESSAGES.name)
    recent = window.last(LATENCY_S)
    latencies: dict[str, float] = {}
    for series in window.moments[-1].values:
        if series[0] == SEND_LATENCY.name:
            latencies[series[-1]] = latencies.get(series[-1], 0.0) + (growth(recent, *series) or 0.0)
    bad, good = outcomes(window)
    share = bad / (bad + good) if bad + good else None
    return SendsView(
        waiting={series[1]: int(value) for series, value in _current(window.moments[-1], gauges.WAITING.name)},
        hour={state: reached[state] for state in Status if state in reached},
        p50_s=quantile(0.5, SEND_LATENCY.bounds, latencies),
        p95_s=quantile(0.95, SEND_LATENCY.bounds, latencies),
        per_second=window.rate(RATE_S, MESSAGES.name, "accepted"),
        success_rate=None if share is None else 1 - share,
        error_rate=share,
        codes=_codes(window),
        unknown_settling=int(window.value(gauges.UNKNOWN.name, "no") or 0),
        unknown_held=int(window.value(gauges.UNKNOWN.name, "yes") or 0),
        doubled=int(window.value(gauges.DOUBLED.name) or 0),
    )


def _codes(window: Window) -> list[CodeView]:
    failed, retried = _hour(window, FAILURES.name), _hour(window, RETRIES.name)
    codes = sorted({*failed, *retried}, key=lambda code: (-failed.get(code, 0), -retried.get(code, 0), code))
    return [
        CodeView(
            "" if code == "none" else code,
            "no answer, or no code in it" if code == "none" else describe(int(code)),
            failed.get(code, 0),
            retried.get(code, 0),
        )
        for code in codes[:TOP_CODES]
        if failed.get(code) or retried.get(code)
    ]


def _hour(window: Window, metric: str) -> dict[str, int]:
    """By the first label: how much each series grew in the last hour."""
    return {series[1]: round(grown) for series, grown in sorted(window.growths(HOUR_S, metric).items())}


def _requests(window: Window) -> dict[str, int]:
    """Requests to SQS in the last hour, by action."""
    sums: dict[str, int] = {}
    for series, grown in window.growths(HOUR_S, SQS_REQUESTS.name).items():
        sums[series[2]] = sums.get(series[2], 0) + round(grown)
    return sums


def _current(moment: Moment, metric: str) -> list[tuple[tuple[str, ...], float]]:
    return [(series, value) for series, value in moment.values.items() if series[0] == metric]


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
