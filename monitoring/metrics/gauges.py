"""Gauges: queues, waiting rows, business numbers, subscriptions, files, processes.

A reading is a series with its value. An unknown value, such as a queue's depth while SQS does not answer, is missing
and not zero.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from django.db import connection, transaction

from analytics.costs import budgets_near_limit
from analytics.rollups import sweep_standstill_s
from messaging import monitoring_queries as queries
from messaging.monitoring_queries import COUNT_LIMIT
from monitoring.health import State, process_status
from monitoring.models import SetupFinding
from monitoring.queue_depth import SqsUnavailable, lane_depths
from waproject.metrics.counters import Series

logger = logging.getLogger(__name__)

Readings = dict[Series, float]

SQS_TIMEOUT_S = 1.0
# Of each statement. They take milliseconds; all parts that time out must not take the monitor as long as a stall.
STATEMENT_TIMEOUT_MS = 5000


@dataclass(frozen=True, slots=True)
class Gauge:
    """A metric that rises and falls; also exposed under its `former_name`, if it has one."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()
    former_name: str = ""


SQS_UP = Gauge("waproject_sqs_up", "1 while SQS answers")
QUEUE = Gauge("waproject_queue_messages", "Messages on a lane's queue, as SQS counts them", ("lane", "state"))
QUEUE_AGE = Gauge("waproject_queue_oldest_seconds", "Estimated age of the oldest message on a queue", ("lane",))
DLQ = Gauge("waproject_dlq_messages", "Messages on a lane's dead-letter queue", ("lane",))
WAITING = Gauge("waproject_messages", f"Outbound messages without an outcome, up to {COUNT_LIMIT} a state", ("state",))
UNKNOWN = Gauge(
    "waproject_unknown_messages",
    "Messages with an unknown outcome: being resolved (no), or held for a decision (yes)",
    ("held",),
)
ASSESSED = Gauge(
    "waproject_quality_assessment_messages",
    f"Accepted messages that Meta holds for its quality assessment, up to {COUNT_LIMIT}",
)
ASSESSED_AGE = Gauge(
    "waproject_quality_assessment_oldest_seconds", "How long Meta has held the oldest of them, of the last 24 hours"
)
DUPLICATE_SENDS = Gauge(
    "waproject_duplicate_sends",
    "Messages that Meta accepted twice, in the last 24 hours",
    former_name="waproject_doubled_messages",
)
OLDEST_DUE = Gauge("waproject_oldest_due_seconds", "How long the oldest releasable message has been due", ("priority",))
LAG = Gauge("waproject_dispatcher_lag_seconds", "How long no message of a number with due messages has been released")
PACE = Gauge("waproject_number_pace", "Messages a second that a number may send now", ("number",))
PAUSED = Gauge("waproject_number_paused", "1 while a number is paused", ("number",))
PROBING = Gauge(
    "waproject_number_probing", "1 while a number sends single probes, after several lost answers in a row", ("number",)
)
QUALITY_LOW = Gauge("waproject_number_quality_low", "1 while Meta rates the quality of a number as low", ("number",))
TEMPLATE_HELD = Gauge("waproject_template_held", "1 while a template that Meta paused is held", ("template",))
BUDGET_WARNED = Gauge("waproject_budget_warned", "1 while a budget is nearly spent", ("budget",))
BUDGET_SPENT = Gauge("waproject_budget_spent", "1 while a budget is spent and its messages are held", ("budget",))
SWEEP_STANDSTILL = Gauge(
    "waproject_rollup_sweep_standstill_seconds",
    "How long analytics has read no new status of the timelines although there are some",
)
SUBSCRIPTION_OFF = Gauge(
    "waproject_subscription_disabled", "1 for a subscription that was disabled after failures", ("subscription",)
)
UNDELIVERED = Gauge("waproject_deliveries_waiting", f"Deliveries that wait for a subscriber, up to {COUNT_LIMIT}")
MEDIA_FILES = Gauge(
    "waproject_media_files", "Inbound files: waiting; late by an hour; failed in the last 24 hours", ("state",)
)
LIMIT_USERS = Gauge("waproject_messaging_limit", "New recipients a day that Meta allows a portfolio", ("portfolio",))
LIMIT_OPENED = Gauge("waproject_messaging_limit_opened", "Recipients that count against it now", ("portfolio",))
LIMIT_USED = Gauge("waproject_messaging_limit_used", "The share of it that is used, from 0 to 1", ("portfolio",))
LIMIT_WAITING = Gauge("waproject_messaging_limit_waiting", "Messages on hold until it allows them", ("portfolio",))
SETUP_FAILED = Gauge("waproject_setup_check_failed", "1 for a check of the set-up that failed last time", ("check",))
PROCESSES = Gauge("waproject_processes", "Running processes by kind; 0 for an expected kind without any", ("kind",))
HEARTBEAT_AGE = Gauge("waproject_heartbeat_age_seconds", "Time since the last heartbeat of a process", ("process",))
PROCESS_GONE = Gauge(
    "waproject_process_gone", "1 for a process that was killed, hangs or stalls, and was not replaced", ("process",)
)
CRASHES = Gauge(
    "waproject_process_crashes", "Predecessors of a kind's processes that were killed or crashed", ("kind",)
)
SAMPLE_AGE = Gauge("waproject_sample_age_seconds", "Age of the monitor's latest readings")
MONITOR_FAILED = Gauge(
    "waproject_monitor_failed",
    "1 for a part of the monitor's work that failed last time; its readings are older",
    ("part",),
)

GAUGES: tuple[Gauge, ...] = (
    SQS_UP, QUEUE, QUEUE_AGE, DLQ, WAITING, UNKNOWN, ASSESSED, ASSESSED_AGE, DUPLICATE_SENDS, OLDEST_DUE,
    LAG, PACE, PAUSED, PROBING, QUALITY_LOW,
    LIMIT_USERS, LIMIT_OPENED, LIMIT_USED, LIMIT_WAITING, TEMPLATE_HELD, BUDGET_WARNED, BUDGET_SPENT,
    SWEEP_STANDSTILL, SUBSCRIPTION_OFF, UNDELIVERED, MEDIA_FILES, SETUP_FAILED, PROCESSES, HEARTBEAT_AGE, PROCESS_GONE,
    CRASHES, SAMPLE_AGE, MONITOR_FAILED,
)  # fmt: skip


def read(before: Mapping[Series, float]) -> Readings:
    """All readings. A part that fails keeps those that it had `before`, and no other part from being read.

    Raises django.db errors where the connection is lost.
    """
    readings: Readings = {}
    for part, (read_part, gauges) in PARTS.items():
        try:
            found = read_part()
        except Exception as error:
            if is_connection_lost():
                raise
            logger.error("the monitor cannot read %s: %s", part, type(error).__name__)
            names = {gauge.name for gauge in gauges}
            found = {series: value for series, value in before.items() if series[0] in names}
            found[MONITOR_FAILED.name, part] = 1.0
        else:
            found[MONITOR_FAILED.name, part] = 0.0
        readings.update(found)
    return readings


def is_connection_lost() -> bool:
    """Whether an error has ended the connection: nothing else can be read either."""
    return connection.connection is None or bool(connection.connection.closed)


def _in_time(read_part: Callable[[], Readings]) -> Readings:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(STATEMENT_TIMEOUT_MS)])
        return read_part()


def read_queues() -> Readings:
    """The depth of all queues and dead-letter queues."""
    try:
        depths = lane_depths(SQS_TIMEOUT_S)
    except SqsUnavailable as error:
        logger.warning("the depth of the queues is unknown, SQS does not answer: %s", error)
        return {(SQS_UP.name,): 0.0}
    readings: Readings = {(SQS_UP.name,): 1.0}
    for name, (queue, dlq) in depths.items():
        readings[QUEUE.name, name, "waiting"] = queue.waiting
        readings[QUEUE.name, name, "in_flight"] = queue.in_flight
        readings[QUEUE.name, name, "delayed"] = queue.delayed
        readings[DLQ.name, name] = dlq.total
    return readings


def _outbound_messages() -> Readings:
    unknown, due, assessed = (
        queries.unknown_outcomes(),
        queries.due_messages(),
        queries.quality_assessments(),
    )
    return {
        **{(WAITING.name, state): float(count) for state, count in queries.messages_without_outcome().items()},
        (UNKNOWN.name, "no"): float(unknown.resolving),
        (UNKNOWN.name, "yes"): float(unknown.held),
        (ASSESSED.name,): float(assessed.held),
        (ASSESSED_AGE.name,): assessed.oldest_s,
        (DUPLICATE_SENDS.name,): float(unknown.duplicates),
        **{(OLDEST_DUE.name, priority): seconds for priority, seconds in due.oldest_s.items()},
        (LAG.name,): due.lag_s,
    }


def _business_numbers() -> Readings:
    readings: Readings = {}
    for number in queries.number_states():
        readings[PACE.name, number.phone_number_id] = number.pace
        readings[PAUSED.name, number.phone_number_id] = float(number.paused_at is not None)
        readings[PROBING.name, number.phone_number_id] = float(number.probing)
    for number_id, is_low in queries.low_quality_numbers().items():
        readings[QUALITY_LOW.name, number_id] = float(is_low)
    return readings


def _portfolios() -> Readings:
    readings: Readings = {}
    for portfolio in queries.portfolio_states():
        name = _label(portfolio.name)
        readings[LIMIT_OPENED.name, name] = float(portfolio.opened)
        readings[LIMIT_WAITING.name, name] = float(portfolio.waiting)
        if portfolio.users_a_day:
            readings[LIMIT_USERS.name, name] = float(portfolio.users_a_day)
            readings[LIMIT_USED.name, name] = portfolio.opened / portfolio.users_a_day
    return readings


def _holds_and_deliveries() -> Readings:
    return {
        **{(TEMPLATE_HELD.name, _label(name)): 1.0 for name in queries.held_templates()},
        **{
            ((BUDGET_SPENT if spent else BUDGET_WARNED).name, _label(name)): 1.0
            for name, spent in budgets_near_limit().items()
        },
        **{(SUBSCRIPTION_OFF.name, _label(name)): 1.0 for name in queries.disabled_subscriptions()},
        (UNDELIVERED.name,): float(queries.waiting_deliveries()),
    }


def _inbound_files() -> Readings:
    files = queries.inbound_files()
    counts = {"waiting": files.waiting, "late": files.late, "lost": files.failed}
    return {(MEDIA_FILES.name, state): float(count) for state, count in counts.items()}


def _rollups() -> Readings:
    return {(SWEEP_STANDSTILL.name,): sweep_standstill_s()}


def _setup() -> Readings:
    found = SetupFinding.objects.filter(state__in=["ok", "failed"])
    failed: Readings = {}
    for row in found:
        series = SETUP_FAILED.name, _label(row.key)
        failed[series] = max(failed.get(series, 0.0), float(row.state == "failed"))
    return failed


def _label(name: str) -> str:
    """A label's value: series are stored with slashes as separators."""
    return name.replace("/", "_")


def read_processes() -> Readings:
    """Processes by kind and name. Of several processes with one name the latest heartbeat counts."""
    status = process_status()
    readings: Readings = {(PROCESSES.name, kind): 0.0 for kind in status.missing}
    for process in status.processes:
        name = _label(process.name)[:100]
        age, gone = (HEARTBEAT_AGE.name, name), (PROCESS_GONE.name, name)
        if process.state is State.ALIVE:
            readings[PROCESSES.name, process.kind] = float(status.alive(process.kind))
        if process.state is not State.REPLACED:
            readings[age] = min(process.age_s, readings.get(age, process.age_s))
            readings[gone] = max(float(process.is_faulty), readings.get(gone, 0.0))
        # By kind: in containers each successor has another name.
        crashes = CRASHES.name, process.kind
        readings[crashes] = readings.get(crashes, 0.0) + process.crashes
    return readings


# By part: how it is read, and its gauges.
PARTS: dict[str, tuple[Callable[[], Readings], tuple[Gauge, ...]]] = {
    "queues": (read_queues, (SQS_UP, QUEUE, DLQ)),
    "messages": (
        partial(_in_time, _outbound_messages),
        (WAITING, UNKNOWN, ASSESSED, ASSESSED_AGE, DUPLICATE_SENDS, OLDEST_DUE, LAG),
    ),
    "numbers": (partial(_in_time, _business_numbers), (PACE, PAUSED, PROBING, QUALITY_LOW)),
    "portfolios": (partial(_in_time, _portfolios), (LIMIT_USERS, LIMIT_OPENED, LIMIT_USED, LIMIT_WAITING)),
    "holds and deliveries": (
        partial(_in_time, _holds_and_deliveries),
        (TEMPLATE_HELD, BUDGET_WARNED, BUDGET_SPENT, SUBSCRIPTION_OFF, UNDELIVERED),
    ),
    "files": (partial(_in_time, _inbound_files), (MEDIA_FILES,)),
    "rollups": (partial(_in_time, _rollups), (SWEEP_STANDSTILL,)),
    "findings of the set-up": (partial(_in_time, _setup), (SETUP_FAILED,)),
    "processes": (partial(_in_time, read_processes), (PROCESSES, HEARTBEAT_AGE, PROCESS_GONE, CRASHES)),
}
