"""Reasons of alerts: what the pipeline recorded about the thing that an alert names."""

from collections.abc import Callable, Mapping

from messaging import monitoring_queries as queries
from messaging.whatsapp.error_codes import describe
from monitoring.alerts.readings import ERROR_WINDOW_S
from monitoring.metrics import FAILURES, Window
from monitoring.models import Heartbeat, SetupFinding, TaskFailure
from waproject.queues import LANES

Reason = Callable[[str, Window], str]


def _recorded(read: Callable[[str], str]) -> Reason:
    return lambda key, _: read(key)


def _last_task_failure(lane: str) -> str:
    """The latest failure of a lane's tasks that is recorded; dead letters of other programs have none."""
    failure = (
        TaskFailure.objects.filter(task__in=LANES[lane].tasks).order_by("-last_at").first() if lane in LANES else None
    )
    if failure is None:
        return ""
    return f"{failure.task} failed with {failure.error}{f': {failure.message}' if failure.message else ''}"


def _last_heartbeat(process: str) -> str:
    row = Heartbeat.objects.filter(name=process).order_by("-seen_at").first()
    if row is None:
        return ""
    if row.stalled_since is not None:
        return f"it runs, but no work has moved since {row.stalled_since:%H:%M:%S} UTC"
    return f"its last heartbeat was at {row.seen_at:%H:%M:%S} UTC"


def _most_frequent_error(_: str, window: Window) -> str:
    failures = window.increases_by_label(ERROR_WINDOW_S, FAILURES.name)
    if not any(failures.values()):
        return ""
    code = max(failures, key=lambda code: failures[code])
    meaning = "no answer, or no code in it" if code == "none" else f"{code}, {describe(int(code))}"
    return f"most often {meaning}"


def _failed_check(key: str, _: Window) -> str:
    """What the check found, and its next step."""
    rows = [row for row in SetupFinding.objects.filter(state="failed") if row.key.replace("/", "_") == key]
    return f"{rows[0].text} → {rows[0].next_step}" if rows else ""


REASONS: Mapping[str, Reason] = {
    "dlq-not-empty": _recorded(_last_task_failure),
    "process-gone": _recorded(_last_heartbeat),
    "error-rate": _most_frequent_error,
    "number-paused": _recorded(queries.pause_reason),
    "number-probing": _recorded(queries.probe_reason),
    "template-held": _recorded(queries.hold_reason),
    "setup-check": _failed_check,
    "subscription-disabled": _recorded(queries.disable_reason),
}


def reason_of(rule: str, key: str, window: Window) -> str:
    """A few words, or an empty string where nothing is recorded. Makes one query at most."""
    return REASONS[rule](key, window).strip() if rule in REASONS else ""
