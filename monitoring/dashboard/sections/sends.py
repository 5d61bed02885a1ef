"""The sends section: messages without and with an outcome, latency, error codes."""

from dataclasses import dataclass

from messaging.states import Status
from messaging.whatsapp.error_codes import describe
from monitoring.alerts import send_outcomes
from monitoring.metrics import FAILURES, MESSAGES, RETRIES, SEND_LATENCY, Snapshot, Window, gauges, increase, quantile

RATE_S = 60
LATENCY_S = 300
HOUR_S = 3600
TOP_CODES = 5


@dataclass(frozen=True, slots=True)
class CodeView:
    """How often an error code occurred in the last hour, and its meaning."""

    code: str
    meaning: str
    failed: int
    retried: int


@dataclass(frozen=True, slots=True)
class SendsView:
    """Outbound messages. `hour`: how many reached each state in the last hour; rates are of the last 5 minutes."""

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
    assessed: int
    duplicates: int


def sends_view(window: Window) -> SendsView:
    """The section at the end of a window."""
    reached = window.increases_by_label(HOUR_S, MESSAGES.name)
    recent = window.within(LATENCY_S)
    latencies: dict[str, float] = {}
    for series in window.snapshots[-1].values:
        if series[0] == SEND_LATENCY.name:
            latencies[series[-1]] = latencies.get(series[-1], 0.0) + (increase(recent, *series) or 0.0)
    bad, good = send_outcomes(window)
    share = bad / (bad + good) if bad + good else None
    return SendsView(
        waiting={series[1]: int(value) for series, value in _current(window.snapshots[-1], gauges.WAITING.name)},
        hour={state: reached[state] for state in Status if state in reached},
        p50_s=quantile(0.5, SEND_LATENCY.bounds, latencies),
        p95_s=quantile(0.95, SEND_LATENCY.bounds, latencies),
        per_second=window.rate(RATE_S, MESSAGES.name, "accepted"),
        success_rate=None if share is None else 1 - share,
        error_rate=share,
        codes=_codes(window),
        unknown_settling=int(window.value(gauges.UNKNOWN.name, "no") or 0),
        unknown_held=int(window.value(gauges.UNKNOWN.name, "yes") or 0),
        assessed=int(window.value(gauges.ASSESSED.name) or 0),
        duplicates=int(window.value(gauges.DUPLICATE_SENDS.name) or 0),
    )


def _codes(window: Window) -> list[CodeView]:
    failed, retried = window.increases_by_label(HOUR_S, FAILURES.name), window.increases_by_label(HOUR_S, RETRIES.name)
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


def _current(snapshot: Snapshot, metric: str) -> list[tuple[tuple[str, ...], float]]:
    return [(series, value) for series, value in snapshot.values.items() if series[0] == metric]
