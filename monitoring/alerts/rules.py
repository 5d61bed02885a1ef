"""Alert rules, as data. docs/operations.md, "Alerts", explains each and what to do.

Readings come from the monitor's samples. What has a row of its own, such as a paused number, is read from that row: the
log lines of `messaging/lifecycle/operator_alerts.py` speak of the same facts at once, and are no second source.
"""

from datetime import timedelta

from monitoring.alerts.state import Reading, Rule, Severity
from monitoring.metrics import FAILURES, MESSAGES, Window, gauges
from waproject.metrics.counters import WEBHOOKS

ERROR_WINDOW_S = 300
# Below so many outcomes in five minutes a rate says little.
ERRORS_AMONG = 20
SILENCE_S = 900
ACCEPTED_IN_SILENCE = 20
SIGNATURE_WINDOW_S = 300
CRASHES_WITHIN_S = 900
# A graceful restart: up to 30 s to finish what was begun, and as long for the successor to start.
RESTART_TAKES_S = 60
START_TAKES, STARTED_WITHIN = timedelta(seconds=45), timedelta(seconds=120)


def _queue(window: Window) -> dict[str, float] | None:
    return window.by_label(gauges.QUEUE.name, second="waiting") or None


def _age(window: Window) -> dict[str, float] | None:
    return window.by_label(gauges.QUEUE_AGE.name) or None


def _dlq(window: Window) -> dict[str, float] | None:
    return window.by_label(gauges.DLQ.name) or None


def _sqs_away(window: Window) -> dict[str, float] | None:
    up = window.value(gauges.SQS_UP.name)
    return None if up is None else {"": 1 - up}


def _all_of(gauge: gauges.Gauge) -> Reading:
    return lambda window: window.by_label(gauge.name)


def _media_late(window: Window) -> dict[str, float] | None:
    late = window.value(gauges.MEDIA_FILES.name, "late")
    return None if late is None else {"": late}


def _missing(window: Window) -> dict[str, float] | None:
    """1 for a kind whose last process was killed, or of which none came back after a clean stop."""
    # While all of the pipeline starts, with the monitor, somebody is always the last to come.
    recent = [moment for moment in window.moments if window.now - moment.at <= STARTED_WITHIN]
    if window.now - recent[0].at < START_TAKES:
        return {}
    killed = {name.partition("@")[0] for name, gone in window.by_label(gauges.PROCESS_GONE.name).items() if gone}
    return {
        kind: float(count == 0 and (kind in killed or _absent(kind, window)))
        for kind, count in window.by_label(gauges.PROCESSES.name).items()
    }


def _absent(kind: str, window: Window) -> bool:
    """Whether no process of a kind was alive for longer than a graceful restart takes."""
    series = (gauges.PROCESSES.name, kind)
    return window.spans(RESTART_TAKES_S) and not any(moment.get(*series) for moment in window.last(RESTART_TAKES_S))


def crashes(window: Window) -> dict[str, float] | None:
    """By process: how often it was killed in the last quarter of an hour; one that was not there then begins at 0."""
    before = window.last(CRASHES_WITHIN_S)[0]
    now = window.by_label(gauges.CRASHES.name)
    return {name: now[name] - before.values.get((gauges.CRASHES.name, name), now[name]) for name in now}


def _one(*series: str) -> Reading:
    return lambda window: {"": window.value(*series) or 0.0}


def error_rate(window: Window) -> dict[str, float] | None:
    """The share of outcomes in the last five minutes that were failures or lost answers."""
    bad, good = outcomes(window)
    return {"": bad / (bad + good) if bad + good >= ERRORS_AMONG else 0.0}


def outcomes(window: Window) -> tuple[float, float]:
    """How many sends of the last five minutes failed or lost their answer, and how many Meta accepted."""
    bad = sum(window.growths(ERROR_WINDOW_S, FAILURES.name).values())
    bad += window.growth(ERROR_WINDOW_S, MESSAGES.name, "unknown")
    return bad, window.growth(ERROR_WINDOW_S, MESSAGES.name, "accepted")


def webhook_silence(window: Window) -> dict[str, float] | None:
    """1 when Meta took messages for a quarter of an hour and told us nothing about them."""
    if not window.spans(SILENCE_S):
        return {}
    accepted = window.growth(SILENCE_S, MESSAGES.name, "accepted")
    heard = window.growth(SILENCE_S, WEBHOOKS.name, "taken")
    return {"": float(accepted >= ACCEPTED_IN_SILENCE and heard == 0)}


def _webhooks(outcome: str) -> Reading:
    return lambda window: {"": window.growth(SIGNATURE_WINDOW_S, WEBHOOKS.name, outcome)}


RULES: tuple[Rule, ...] = (
    Rule(
        "lane-waiting",
        Severity.WARNING,
        _queue,
        fires_at=5000,
        clears_at=2500,
        for_s=120,
        summary="{value:.0f} messages wait on the queue {key}.",
        action="Start more workers of this lane, or find out what slows them.",
    ),
    Rule(
        "lane-age",
        Severity.CRITICAL,
        _age,
        fires_at=180,
        clears_at=60,
        for_s=60,
        summary="The oldest message on the queue {key} is {value:.0f} s old.",
        action="See whether the lane's workers run and what their log says.",
    ),
    Rule(
        "dlq-not-empty",
        Severity.WARNING,
        _dlq,
        fires_at=1,
        summary="{value:.0f} messages lie on the dead-letter queue of {key}.",
        action="Read why they failed, then redrive or discard them.",
        page="/admin/monitoring/move/lane/{key}/",
    ),
    Rule(
        "sqs-away",
        Severity.CRITICAL,
        _sqs_away,
        fires_at=1,
        for_s=60,
        summary="SQS does not answer.",
        action="Check the network, the credentials and the AWS health page; nothing is lost meanwhile.",
    ),
    Rule(
        "process-missing",
        Severity.CRITICAL,
        _missing,
        fires_at=1,
        clears_after_s=0,
        summary="No process of the kind {key} is alive.",
        action="Start one, and read the end of the last one's log.",
    ),
    Rule(
        "process-gone",
        Severity.WARNING,
        _all_of(gauges.PROCESS_GONE),
        fires_at=1,
        clears_after_s=0,
        summary="{key} ended without a word, or hangs.",
        action="See whether it was killed (memory, host) and start it again.",
    ),
    Rule(
        "process-crashes",
        Severity.WARNING,
        crashes,
        fires_at=3,
        clears_at=1,
        summary="{key} was killed or crashed {value:.0f} times within 15 minutes, and came back each time.",
        action="Read the end of its log, and see whether it runs out of memory.",
    ),
    Rule(
        "dispatcher-lag",
        Severity.CRITICAL,
        _one(gauges.LAG.name),
        fires_at=60,
        clears_at=10,
        for_s=30,
        summary="Messages are due and none was released for {value:.0f} s.",
        action="See whether a dispatcher runs, and whether the outgoing workers claim what it releases.",
    ),
    Rule(
        "error-rate",
        Severity.CRITICAL,
        error_rate,
        fires_at=0.10,
        clears_at=0.05,
        for_s=60,
        summary="{value:.0%} of the sends of the last five minutes failed or lost their answer.",
        action="Look at the top error codes on the dashboard and follow the first one.",
    ),
    Rule(
        "unknown-held",
        Severity.WARNING,
        _one(gauges.UNKNOWN.name, "yes"),
        fires_at=1,
        summary="{value:.0f} messages lost their answer, and nothing settles them.",
        action="Decide in the admin: mark them failed, or send them again.",
        page="/admin/messaging/message/?status__exact=unknown",
    ),
    Rule(
        "message-doubled",
        Severity.WARNING,
        _one(gauges.DOUBLED.name),
        fires_at=1,
        summary="Meta took {value:.0f} messages twice in the last 24 hours.",
        action="Find out why the statuses of the first attempts came late; consider a longer WA_UNKNOWN_GRACE.",
    ),
    Rule(
        "number-paused",
        Severity.CRITICAL,
        _all_of(gauges.PAUSED),
        fires_at=1,
        clears_after_s=0,
        summary="The business number {key} is paused.",
        action="Read its pause reason in the admin, remove the cause, and resume it there.",
        page="/admin/messaging/businessnumber/",
    ),
    Rule(
        "number-probing",
        Severity.CRITICAL,
        _all_of(gauges.PROBING),
        fires_at=1,
        for_s=30,
        summary="The answers for the business number {key} get lost; it only probes.",
        action="Check the way to Meta and Meta's status page; it goes on by itself.",
        page="/admin/messaging/businessnumber/",
    ),
    Rule(
        "number-quality",
        Severity.WARNING,
        _all_of(gauges.QUALITY_LOW),
        fires_at=1,
        clears_after_s=0,
        summary="Meta says that the quality of the business number {key} is low.",
        action="Send less marketing, to people who want it, before Meta limits or stops the number.",
        page="/admin/messaging/businessnumber/",
    ),
    Rule(
        "template-held",
        Severity.WARNING,
        _all_of(gauges.TEMPLATE_HELD),
        fires_at=1,
        clears_after_s=0,
        summary="Meta stopped the template {key}; its messages wait.",
        action="See its quality in WhatsApp Manager; change or replace it.",
        page="/admin/messaging/hold/",
    ),
    Rule(
        "subscription-disabled",
        Severity.WARNING,
        _all_of(gauges.SUBSCRIPTION_OFF),
        fires_at=1,
        clears_after_s=0,
        summary="The subscription {key} is disabled: its endpoint failed for a day, or answered 410.",
        action="Have the endpoint repaired, switch the subscription on, and replay what failed.",
        page="/admin/messaging/subscription/?active__exact=0",
    ),
    Rule(
        "media-late",
        Severity.WARNING,
        _media_late,
        fires_at=1,
        clears_after_s=0,
        summary="{value:.0f} files that users sent have not come for an hour.",
        action="See in the admin, Media, what keeps them. Meta has them for seven days.",
        page="/admin/messaging/media/",
    ),
    Rule(
        "webhook-silence",
        Severity.CRITICAL,
        webhook_silence,
        fires_at=1,
        clears_after_s=0,
        summary="Meta took messages for 15 minutes and sent no webhook.",
        action="Check the callback URL in the app's dashboard, and whether it can be reached from outside.",
    ),
    Rule(
        "webhook-signature",
        Severity.WARNING,
        _webhooks("unsigned"),
        fires_at=10,
        clears_at=1,
        summary="{value:.0f} webhooks in five minutes were not signed with the app secret.",
        action="If the secret was changed, set WA_APP_SECRET; else somebody is trying.",
    ),
    Rule(
        "webhook-not-taken",
        Severity.CRITICAL,
        _webhooks("not_taken"),
        fires_at=1,
        summary="{value:.0f} webhooks in five minutes could not be stored; Meta repeats them.",
        action="SQS and the database are both away from the web process: bring back either.",
    ),
)
BY_NAME = {rule.name: rule for rule in RULES}
