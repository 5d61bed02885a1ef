"""Alert rules, as data. docs/operations.md, "Alerts", explains each and what to do.

All readings come from the monitor's samples. The log lines of `messaging/lifecycle/operator_alerts.py` report some of
the same facts earlier; they are not a second source.
"""

from datetime import timedelta

from monitoring.alerts.state import Reading, Rule, Severity
from monitoring.metrics import FAILURES, MESSAGES, Window, gauges
from waproject.metrics.counters import WEBHOOKS

ERROR_WINDOW_S = 300
# With fewer outcomes in five minutes a rate is noise.
MIN_OUTCOMES = 20
SILENCE_S = 900
MIN_ACCEPTED = 20
SIGNATURE_WINDOW_S = 300
CRASH_WINDOW_S = 900
# A graceful restart: up to 30 s to finish tasks in progress, and up to 30 s for the successor to start.
GRACEFUL_RESTART_S = 60
# While the whole pipeline starts, its processes appear one after the other.
STARTUP, STARTUP_WINDOW = timedelta(seconds=45), timedelta(seconds=120)


def _queue_depth(window: Window) -> dict[str, float] | None:
    return window.by_label(gauges.QUEUE.name, second="waiting") or None


def _queue_age(window: Window) -> dict[str, float] | None:
    return window.by_label(gauges.QUEUE_AGE.name) or None


def _dlq(window: Window) -> dict[str, float] | None:
    return window.by_label(gauges.DLQ.name) or None


def _sqs_down(window: Window) -> dict[str, float] | None:
    up = window.value(gauges.SQS_UP.name)
    return None if up is None else {"": 1 - up}


def _by_label(gauge: gauges.Gauge) -> Reading:
    return lambda window: window.by_label(gauge.name)


def _late_media(window: Window) -> dict[str, float] | None:
    late = window.value(gauges.MEDIA_FILES.name, "late")
    return None if late is None else {"": late}


def _missing_processes(window: Window) -> dict[str, float] | None:
    """1 for a kind whose last process was killed, or that has no process for longer than a graceful restart takes."""
    recent = [snapshot for snapshot in window.snapshots if window.now - snapshot.at <= STARTUP_WINDOW]
    if window.now - recent[0].at < STARTUP:
        return {}
    killed = {name.partition("@")[0] for name, gone in window.by_label(gauges.PROCESS_GONE.name).items() if gone}
    return {
        kind: float(count == 0 and (kind in killed or _outlasts_a_restart(kind, window)))
        for kind, count in window.by_label(gauges.PROCESSES.name).items()
    }


def _outlasts_a_restart(kind: str, window: Window) -> bool:
    """Whether a kind has had no process for longer than a graceful restart takes."""
    series = (gauges.PROCESSES.name, kind)
    return window.covers(GRACEFUL_RESTART_S) and not any(
        snapshot.get(*series) for snapshot in window.last(GRACEFUL_RESTART_S)
    )


def crashes(window: Window) -> dict[str, float] | None:
    """By process: its crashes in the last 15 minutes. A process that is new since then starts at 0."""
    before = window.last(CRASH_WINDOW_S)[0]
    now = window.by_label(gauges.CRASHES.name)
    return {name: now[name] - before.values.get((gauges.CRASHES.name, name), now[name]) for name in now}


def _single(*series: str) -> Reading:
    return lambda window: {"": window.value(*series) or 0.0}


def error_rate(window: Window) -> dict[str, float] | None:
    """The share of failed and unknown outcomes among those of the last five minutes; 0 if there are too few."""
    bad, good = send_outcomes(window)
    return {"": bad / (bad + good) if bad + good >= MIN_OUTCOMES else 0.0}


def send_outcomes(window: Window) -> tuple[float, float]:
    """Sends of the last five minutes: how many failed or have an unknown outcome, and how many Meta accepted."""
    bad = sum(window.increases(ERROR_WINDOW_S, FAILURES.name).values())
    bad += window.increase(ERROR_WINDOW_S, MESSAGES.name, "unknown")
    return bad, window.increase(ERROR_WINDOW_S, MESSAGES.name, "accepted")


def webhook_silence(window: Window) -> dict[str, float] | None:
    """1 if Meta accepted messages for 15 minutes and sent no webhook."""
    if not window.covers(SILENCE_S):
        return {}
    accepted = window.increase(SILENCE_S, MESSAGES.name, "accepted")
    received = window.increase(SILENCE_S, WEBHOOKS.name, "taken")
    return {"": float(accepted >= MIN_ACCEPTED and received == 0)}


def _webhooks(outcome: str) -> Reading:
    return lambda window: {"": window.increase(SIGNATURE_WINDOW_S, WEBHOOKS.name, outcome)}


RULES: tuple[Rule, ...] = (
    Rule(
        "lane-waiting",
        Severity.WARNING,
        _queue_depth,
        fires_at=5000,
        clears_at=2500,
        for_s=120,
        summary="{value:.0f} messages are waiting on the queue {key}.",
        action="Start more workers of this lane, or find out what slows them down.",
    ),
    Rule(
        "lane-age",
        Severity.CRITICAL,
        _queue_age,
        fires_at=180,
        clears_at=60,
        for_s=60,
        summary="The oldest message on the queue {key} is {value:.0f} s old.",
        action="Check that the lane's workers run, and read their log.",
    ),
    Rule(
        "dlq-not-empty",
        Severity.WARNING,
        _dlq,
        fires_at=1,
        summary="The dead-letter queue of {key} holds {value:.0f} messages.",
        action="Read why they failed, then redrive or discard them.",
        page="/admin/monitoring/move/lane/{key}/",
    ),
    Rule(
        "sqs-away",
        Severity.CRITICAL,
        _sqs_down,
        fires_at=1,
        for_s=60,
        summary="SQS does not answer.",
        action="Check the network, the credentials and the AWS health page. Nothing is lost meanwhile.",
    ),
    Rule(
        "process-missing",
        Severity.CRITICAL,
        _missing_processes,
        fires_at=1,
        clears_after_s=0,
        summary="No {key} process is running.",
        action="Start one, and read the end of the last one's log.",
    ),
    Rule(
        "process-gone",
        Severity.WARNING,
        _by_label(gauges.PROCESS_GONE),
        fires_at=1,
        clears_after_s=0,
        summary="{key} was killed, or hangs.",
        action="Find out whether it was killed (memory, host), and start it again.",
    ),
    Rule(
        "process-crashes",
        Severity.WARNING,
        crashes,
        fires_at=3,
        clears_at=1,
        summary="{key} was killed or crashed {value:.0f} times within 15 minutes, and was restarted each time.",
        action="Read the end of its log, and check whether it runs out of memory.",
    ),
    Rule(
        "dispatcher-lag",
        Severity.CRITICAL,
        _single(gauges.LAG.name),
        fires_at=60,
        clears_at=10,
        for_s=30,
        summary="Messages are due, but none has been released for {value:.0f} s.",
        action="Check that a dispatcher runs, and that the outgoing workers claim what it releases.",
    ),
    Rule(
        "error-rate",
        Severity.CRITICAL,
        error_rate,
        fires_at=0.10,
        clears_at=0.05,
        for_s=60,
        summary="{value:.0%} of the sends of the last five minutes failed or have an unknown outcome.",
        action="Start with the most frequent error code on the dashboard.",
    ),
    Rule(
        "unknown-held",
        Severity.WARNING,
        _single(gauges.UNKNOWN.name, "yes"),
        fires_at=1,
        summary="The outcome of {value:.0f} messages is unknown, and needs a decision.",
        action="Decide in the admin: mark them as failed, or send them again.",
        page="/admin/messaging/message/?status__exact=unknown",
    ),
    Rule(
        "message-doubled",
        Severity.WARNING,
        _single(gauges.DOUBLED.name),
        fires_at=1,
        summary="Meta accepted {value:.0f} messages twice in the last 24 hours.",
        action="Find out why the statuses of the first attempts came late; consider a longer WA_UNKNOWN_GRACE.",
    ),
    Rule(
        "number-paused",
        Severity.CRITICAL,
        _by_label(gauges.PAUSED),
        fires_at=1,
        clears_after_s=0,
        summary="The business number {key} is paused.",
        action="Read its pause reason in the admin, remove the cause, and resume it there.",
        page="/admin/messaging/businessnumber/",
    ),
    Rule(
        "number-probing",
        Severity.CRITICAL,
        _by_label(gauges.PROBING),
        fires_at=1,
        for_s=30,
        summary="Answers for the business number {key} are lost; it sends single probes only.",
        action="Check the network to Meta and Meta's status page; sending resumes by itself.",
        page="/admin/messaging/businessnumber/",
    ),
    Rule(
        "number-quality",
        Severity.WARNING,
        _by_label(gauges.QUALITY_LOW),
        fires_at=1,
        clears_after_s=0,
        summary="Meta rates the quality of the business number {key} as low.",
        action="Send less marketing, to people who asked for it, before Meta limits or blocks the number.",
        page="/admin/messaging/businessnumber/",
    ),
    Rule(
        "template-held",
        Severity.WARNING,
        _by_label(gauges.TEMPLATE_HELD),
        fires_at=1,
        clears_after_s=0,
        summary="Meta paused the template {key}; its messages are held.",
        action="Check its quality in WhatsApp Manager; change or replace it.",
        page="/admin/messaging/hold/",
    ),
    Rule(
        "subscription-disabled",
        Severity.WARNING,
        _by_label(gauges.SUBSCRIPTION_OFF),
        fires_at=1,
        clears_after_s=0,
        summary="The subscription {key} was disabled: its endpoint failed for a day, or answered 410.",
        action="Have the endpoint repaired, enable the subscription, and replay the failed deliveries.",
        page="/admin/messaging/subscription/?active__exact=0",
    ),
    Rule(
        "media-late",
        Severity.WARNING,
        _late_media,
        fires_at=1,
        clears_after_s=0,
        summary="{value:.0f} files that users sent have not been fetched for an hour.",
        action="Read the error in the admin, Media. Meta keeps the files for seven days.",
        page="/admin/messaging/media/",
    ),
    Rule(
        "webhook-silence",
        Severity.CRITICAL,
        webhook_silence,
        fires_at=1,
        clears_after_s=0,
        summary="Meta accepted messages for 15 minutes and sent no webhook.",
        action="Check the callback URL in the app's dashboard, and whether it can be reached from outside.",
    ),
    Rule(
        "webhook-signature",
        Severity.WARNING,
        _webhooks("unsigned"),
        fires_at=10,
        clears_at=1,
        summary="{value:.0f} webhooks in five minutes were not signed with the app secret.",
        action="If the secret was changed, set WA_APP_SECRET; otherwise someone is forging webhooks.",
    ),
    Rule(
        "webhook-not-taken",
        Severity.CRITICAL,
        _webhooks("not_taken"),
        fires_at=1,
        summary="{value:.0f} webhooks in five minutes could not be stored; Meta repeats them.",
        action="SQS and the database are both unreachable from the web process: restore one of them.",
    ),
)
BY_NAME = {rule.name: rule for rule in RULES}
