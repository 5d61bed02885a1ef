"""Readings of the alert rules, from samples for the monitor and in PromQL for Prometheus."""

import re
from collections.abc import Mapping
from datetime import timedelta

from monitoring.alerts.state import Reading, Values
from monitoring.metrics import FAILURES, MESSAGES, Window, gauges
from monitoring.metrics.gauges import Gauge
from monitoring.metrics.samples import increase
from waproject.metrics.counters import WEBHOOKS, Series

ERROR_WINDOW_S = 300
# With fewer outcomes in five minutes a rate is noise.
MIN_OUTCOMES = 20
SILENCE_S = 900
MIN_ACCEPTED = 20
WEBHOOK_WINDOW_S = 300
CRASH_WINDOW_S = 900
# A graceful restart: up to 30 s to finish tasks in progress, and up to 30 s for the successor to start.
GRACEFUL_RESTART_S = 60
# While the whole pipeline starts, its processes appear one after the other.
STARTUP, STARTUP_WINDOW = timedelta(seconds=45), timedelta(seconds=120)
# `outgoing@host`, and `outgoing-2@host` for the second one of a host.
PROCESS_NAME = re.compile(r"(?P<kind>.+?)(-\d+)?@")


def by_label(gauge: Gauge) -> Reading:
    """A gauge by its label. A series that disappears counts as 0."""
    return Reading(lambda window: window.by_label(gauge.name), gauge.name, gauge.labels[0])


def known(gauge: Gauge, **matcher: str) -> Reading:
    """A gauge by its first label, with one value of its second; unknown while the gauge is missing."""
    second = next(iter(matcher.values()), None)

    def read(window: Window) -> Values | None:
        values = window.by_label(gauge.name) if second is None else window.by_label(gauge.name, second=second)
        return values or None

    return Reading(read, gauge.name + _matchers(matcher), gauge.labels[0])


def single(gauge: Gauge, **matcher: str) -> Reading:
    """One series of a gauge; unknown while it is missing."""

    def read(window: Window) -> Values | None:
        value = window.value(gauge.name, *matcher.values())
        return None if value is None else {"": value}

    return Reading(read, gauge.name + _matchers(matcher))


def send_outcomes(window: Window) -> tuple[float, float]:
    """Sends of the last five minutes: how many failed or have an unknown outcome, and how many Meta accepted."""
    bad = sum(window.increases(ERROR_WINDOW_S, FAILURES.name).values())
    bad += window.increase(ERROR_WINDOW_S, MESSAGES.name, "unknown")
    return bad, window.increase(ERROR_WINDOW_S, MESSAGES.name, "accepted")


def _sqs_down(window: Window) -> Values | None:
    up = window.value(gauges.SQS_UP.name)
    return None if up is None else {"": 1 - up}


def _missing_processes(window: Window) -> Values | None:
    """1 for a kind whose last process was killed, or that has no process for longer than a graceful restart takes."""
    recent = [snapshot for snapshot in window.snapshots if window.now - snapshot.at <= STARTUP_WINDOW]
    if window.now - recent[0].at < STARTUP:
        return None
    counts = window.by_label(gauges.PROCESSES.name)
    return {kind: float(count == 0 and _is_missing(kind, window)) for kind, count in counts.items()}


def _is_missing(kind: str, window: Window) -> bool:
    snapshots = window.last(GRACEFUL_RESTART_S)
    running = [snapshot.values for snapshot in snapshots if snapshot.get(gauges.PROCESSES.name, kind)]
    if not running:
        return window.covers(GRACEFUL_RESTART_S)
    # A process that was killed before another one's graceful restart does not make that one a kill.
    return _gone(kind, window.snapshots[-1].values) > _gone(kind, running[-1])


def _gone(kind: str, values: Mapping[Series, float]) -> float:
    named = ((PROCESS_NAME.match(series[1]), value) for series, value in values.items() if _is_gone_gauge(series))
    return sum(value for name, value in named if name and name["kind"] == kind)


def _is_gone_gauge(series: Series) -> bool:
    return series[0] == gauges.PROCESS_GONE.name


def _crashes(window: Window) -> Values:
    """By kind: crashes within 15 minutes. A clean stop takes earlier ones away; a kind that is new starts at 0."""
    samples = window.within(CRASH_WINDOW_S)
    now = window.by_label(gauges.CRASHES.name)
    return {
        kind: count - min(sample.values.get((gauges.CRASHES.name, kind), count) for sample in samples)
        for kind, count in now.items()
    }


def _error_rate(window: Window) -> Values:
    """The share of failed and unknown outcomes within five minutes; 0 if there are too few outcomes."""
    bad, good = send_outcomes(window)
    return {"": bad / (bad + good) if bad + good >= MIN_OUTCOMES else 0.0}


def _webhook_silence(window: Window) -> Values | None:
    """1 if Meta accepted messages for 15 minutes, or longer after a gap in the samples, and sent no webhook."""
    if not window.covers(SILENCE_S):
        return None
    snapshots = window.last(SILENCE_S)
    accepted = increase(snapshots, MESSAGES.name, "accepted") or 0.0
    received = increase(snapshots, WEBHOOKS.name, "taken") or 0.0
    return {"": float(accepted >= MIN_ACCEPTED and received == 0)}


def _unsigned_webhooks(window: Window) -> Values:
    return {"": window.increase(WEBHOOK_WINDOW_S, WEBHOOKS.name, "unsigned")}


def _lost_webhooks(window: Window) -> Values:
    """Web processes report these once the database is back: after an outage that also stopped the samples."""
    return {"": increase(window.last(WEBHOOK_WINDOW_S), WEBHOOKS.name, "not_taken") or 0.0}


def _matchers(matcher: dict[str, str]) -> str:
    return "{" + ", ".join(f'{label}="{value}"' for label, value in matcher.items()) + "}" if matcher else ""


def _total(metric: str, seconds: int, **matcher: str) -> str:
    return f"(sum(increase({metric}{_matchers(matcher)}[{seconds}s])) or vector(0))"


_ERRORS = f"({_total(FAILURES.name, ERROR_WINDOW_S)} + {_total(MESSAGES.name, ERROR_WINDOW_S, state='unknown')})"
_OUTCOMES = f"({_ERRORS} + {_total(MESSAGES.name, ERROR_WINDOW_S, state='accepted')})"
_KIND_GONE = f'label_replace({gauges.PROCESS_GONE.name} == 1, "kind", "$1", "process", "(.+?)(-[0-9]+)?@.*")'
_ABSENT = (
    f"(max_over_time({gauges.PROCESSES.name}[{GRACEFUL_RESTART_S}s]) == 0"
    f" and {gauges.PROCESSES.name} offset {GRACEFUL_RESTART_S}s == 0)"
)

SQS_DOWN = Reading(_sqs_down, f"1 - {gauges.SQS_UP.name}")
MISSING_PROCESSES = Reading(
    _missing_processes,
    f"count by (kind) ({_ABSENT} or ({gauges.PROCESSES.name} == 0 and on (kind) {_KIND_GONE}))",
    "kind",
)
CRASHES = Reading(
    _crashes,
    f"{gauges.CRASHES.name} - min_over_time({gauges.CRASHES.name}[{CRASH_WINDOW_S}s])",
    "kind",
)
ERROR_RATE = Reading(_error_rate, f"{_ERRORS} / {_OUTCOMES} * ({_OUTCOMES} >= bool {MIN_OUTCOMES})")
WEBHOOK_SILENCE = Reading(
    _webhook_silence,
    f"({_total(MESSAGES.name, SILENCE_S, state='accepted')} >= bool {MIN_ACCEPTED})"
    f" * ({_total(WEBHOOKS.name, SILENCE_S, outcome='taken')} == bool 0)",
)
UNSIGNED_WEBHOOKS = Reading(_unsigned_webhooks, _total(WEBHOOKS.name, WEBHOOK_WINDOW_S, outcome="unsigned"))
LOST_WEBHOOKS = Reading(_lost_webhooks, _total(WEBHOOKS.name, WEBHOOK_WINDOW_S, outcome="not_taken"))
