"""Gauges: queues, waiting rows, business numbers, subscriptions, files, processes.

A reading is a series with its value. An unknown value, such as a queue's depth while SQS does not answer, is missing
and not zero.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from messaging.media_states import TRIED_FOR
from messaging.models import PRIORITY_NAMES
from monitoring.health import State, process_status
from monitoring.queue_depth import SqsUnavailable, lane_depths
from waproject.metrics.counters import Series

logger = logging.getLogger(__name__)

Readings = dict[Series, float]

# Rows of one state are counted up to this limit: a larger number changes no decision, and counting takes time.
COUNT_LIMIT = 100_000
SQS_TIMEOUT_S = 1.0
# A file is late after this time; files of imported history may take longer.
MEDIA_LATE_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Gauge:
    """A metric that rises and falls."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()


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
DOUBLED = Gauge("waproject_doubled_messages", "Messages that Meta accepted twice, in the last 24 hours")
OLDEST_DUE = Gauge("waproject_oldest_due_seconds", "How long the oldest releasable message has been due", ("priority",))
LAG = Gauge("waproject_dispatcher_lag_seconds", "How long no message of a number with due messages has been released")
PACE = Gauge("waproject_number_pace", "Messages a second that a number may send now", ("number",))
PAUSED = Gauge("waproject_number_paused", "1 while a number is paused", ("number",))
PROBING = Gauge(
    "waproject_number_probing", "1 while a number sends single probes, after several lost answers in a row", ("number",)
)
QUALITY_LOW = Gauge("waproject_number_quality_low", "1 while Meta rates the quality of a number as low", ("number",))
TEMPLATE_HELD = Gauge("waproject_template_held", "1 while a template that Meta paused is held", ("template",))
SUBSCRIPTION_OFF = Gauge(
    "waproject_subscription_disabled", "1 for a subscription that was disabled after failures", ("subscription",)
)
UNDELIVERED = Gauge("waproject_deliveries_waiting", f"Deliveries that wait for a subscriber, up to {COUNT_LIMIT}")
MEDIA_FILES = Gauge(
    "waproject_media_files", "Inbound files: waiting; late by an hour; failed in the last 24 hours", ("state",)
)
PROCESSES = Gauge("waproject_processes", "Running processes by kind; 0 for an expected kind without any", ("kind",))
HEARTBEAT_AGE = Gauge("waproject_heartbeat_age_seconds", "Time since the last heartbeat of a process", ("process",))
PROCESS_GONE = Gauge(
    "waproject_process_gone", "1 for a process that was killed or hangs, and was not replaced", ("process",)
)
CRASHES = Gauge("waproject_process_crashes", "Predecessors of a process that were killed or crashed", ("process",))
SAMPLE_AGE = Gauge("waproject_sample_age_seconds", "Age of the monitor's latest readings")

GAUGES: tuple[Gauge, ...] = (
    SQS_UP, QUEUE, QUEUE_AGE, DLQ, WAITING, UNKNOWN, DOUBLED, OLDEST_DUE, LAG, PACE, PAUSED, PROBING, QUALITY_LOW,
    TEMPLATE_HELD, SUBSCRIPTION_OFF, UNDELIVERED, MEDIA_FILES, PROCESSES, HEARTBEAT_AGE, PROCESS_GONE, CRASHES,
    SAMPLE_AGE,
)  # fmt: skip


def read() -> Readings:
    """All readings. Raises django.db errors, none of SQS."""
    return {**read_queues(), **read_database()}


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


def read_database() -> Readings:
    """Messages, numbers, holds, deliveries, files and processes. Every query uses a partial index or a small table."""
    return {
        **_messages_without_outcome(),
        **_unknown_outcomes(),
        **_due_messages(),
        **_business_numbers(),
        **_number_quality(),
        **_held_templates(),
        **_subscriptions(),
        **_media_files(),
        **read_processes(),
    }


def _messages_without_outcome() -> Readings:
    readings: Readings = {(WAITING.name, state): 0.0 for state in ("due", "scheduled", "queued", "sending", "held")}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT CASE WHEN due_at <= statement_timestamp() THEN 'due' ELSE 'scheduled' END, count(*) FROM (
              SELECT due_at FROM messaging_message
              WHERE due_at IS NOT NULL AND released_at IS NULL AND hold IS NULL LIMIT %(most)s) waiting GROUP BY 1
            UNION ALL
            SELECT status, count(*) FROM messaging_message
            WHERE released_at IS NOT NULL AND outcome_at IS NULL AND status IN ('queued', 'sending') GROUP BY 1
            UNION ALL
            SELECT 'held', count(*) FROM (
              SELECT FROM messaging_message WHERE hold IS NOT NULL LIMIT %(most)s) held
            """,
            {"most": COUNT_LIMIT},
        )
        readings.update({(WAITING.name, state): float(count) for state, count in cursor.fetchall()})
    return readings


def _unknown_outcomes() -> Readings:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE hold IS NULL), count(*) FILTER (WHERE hold IS NOT NULL),
              (SELECT count(*) FROM messaging_message
               WHERE doubled_at > statement_timestamp() - interval '24 hours')
            FROM messaging_message WHERE unknown_at IS NOT NULL
            """
        )
        settling, held, doubled = cursor.fetchone()
    return {(UNKNOWN.name, "no"): settling, (UNKNOWN.name, "yes"): held, (DOUBLED.name,): doubled}


def _due_messages() -> Readings:
    """Of numbers that may send: the age of the oldest due message by priority, and the time without a release."""
    readings: Readings = {(OLDEST_DUE.name, name): 0.0 for name in PRIORITY_NAMES.values()}
    lag = 0.0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT p.priority, extract(epoch FROM statement_timestamp() - d.due_at)::float8,
              extract(epoch FROM statement_timestamp() - greatest(d.due_at, n.tokens_at, n.throttled_until))::float8
            FROM messaging_businessnumber n CROSS JOIN unnest(%s::int[]) AS p(priority)
            CROSS JOIN LATERAL (
              SELECT m.due_at FROM messaging_message m
              WHERE m.number_id = n.id AND m.priority = p.priority AND m.due_at <= statement_timestamp()
                AND m.released_at IS NULL AND m.hold IS NULL ORDER BY m.due_at LIMIT 1) d
            WHERE n.paused_at IS NULL AND n.probe_at IS NULL
              AND (n.throttled_until IS NULL OR n.throttled_until <= statement_timestamp())
            """,
            [list(PRIORITY_NAMES)],
        )
        for priority, due, lag_s in cursor.fetchall():
            series = (OLDEST_DUE.name, PRIORITY_NAMES[priority])
            readings[series] = max(readings[series], due)
            lag = max(lag, lag_s)
    return {**readings, (LAG.name,): lag}


def _business_numbers() -> Readings:
    readings: Readings = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT phone_number_id, rate * pace_share, paused_at IS NOT NULL, probe_at IS NOT NULL"
            " FROM messaging_businessnumber"
        )
        for number, pace, paused, probing in cursor.fetchall():
            readings[PACE.name, number] = pace
            readings[PAUSED.name, number] = float(paused)
            readings[PROBING.name, number] = float(probing)
    return readings


# Events of Meta's phone_number_quality_update that tell the quality; others, such as ONBOARDING, do not.
QUALITY_IS_LOW = {"FLAGGED": True, "DOWNGRADE": True, "UNFLAGGED": False, "UPGRADE": False, "THROUGHPUT_UPGRADE": False}


def _number_quality() -> Readings:
    """By the latest event of each number. Meta always names the display number, but not always its id."""
    with connection.cursor() as cursor:
        cursor.execute(
            r"""
            SELECT DISTINCT ON (n.phone_number_id) n.phone_number_id, e.event
            FROM messaging_accountevent e JOIN messaging_businessnumber n ON n.phone_number_id = e.phone_number_id
              OR regexp_replace(n.display_phone_number, '\D', '', 'g')
                = NULLIF(regexp_replace(e.subject, '\D', '', 'g'), '')
            WHERE e.kind = 'phone_number_quality_update' AND e.event = ANY(%s)
            ORDER BY n.phone_number_id, e.at DESC, e.id DESC
            """,
            [list(QUALITY_IS_LOW)],
        )
        return {(QUALITY_LOW.name, number): float(QUALITY_IS_LOW[event]) for number, event in cursor.fetchall()}


def _held_templates() -> Readings:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT left(key, 100) FROM messaging_hold"
            " WHERE kind = 'template' AND by = 'system' AND resumed_at IS NULL LIMIT 100"
        )
        return {(TEMPLATE_HELD.name, key.replace("/", "_")): 1.0 for (key,) in cursor.fetchall()}


def _subscriptions() -> Readings:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT left(coalesce(nullif(description, ''), id::text), 100) FROM messaging_subscription
            WHERE disabled_at IS NOT NULL AND NOT active AND deleted_at IS NULL LIMIT 100
            """
        )
        off: Readings = {(SUBSCRIPTION_OFF.name, name.replace("/", "_")): 1.0 for (name,) in cursor.fetchall()}
        cursor.execute(
            "SELECT count(*) FROM (SELECT FROM messaging_delivery WHERE finished_at IS NULL LIMIT %s) waiting",
            [COUNT_LIMIT],
        )
        (waiting,) = cursor.fetchone()
    return {**off, (UNDELIVERED.name,): float(waiting)}


def _media_files() -> Readings:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), count(*) FILTER (WHERE rank = 0 AND give_up_at < %(late)s), (
              SELECT count(*) FROM messaging_media
              WHERE finished_at > statement_timestamp() - interval '24 hours' AND state <> 'stored')
            FROM (SELECT rank, give_up_at FROM messaging_media WHERE finished_at IS NULL LIMIT %(most)s) waiting
            """,
            {"most": COUNT_LIMIT, "late": timezone.now() + TRIED_FOR - MEDIA_LATE_AFTER},
        )
        counts = cursor.fetchone()
    return {(MEDIA_FILES.name, state): float(n) for state, n in zip(("waiting", "late", "lost"), counts, strict=True)}


def read_processes() -> Readings:
    """Processes by kind and name. Of several processes with one name the latest heartbeat counts."""
    status = process_status()
    readings: Readings = {(PROCESSES.name, kind): 0.0 for kind in status.missing}
    for process in status.processes:
        name = process.name.replace("/", "_")[:100]
        age, gone = (HEARTBEAT_AGE.name, name), (PROCESS_GONE.name, name)
        if process.state is State.ALIVE:
            readings[PROCESSES.name, process.kind] = float(status.alive(process.kind))
        if process.state is not State.REPLACED:
            readings[age] = min(process.age_s, readings.get(age, process.age_s))
            readings[gone] = max(float(process.state is State.GONE), readings.get(gone, 0.0))
            readings[CRASHES.name, name] = readings.get((CRASHES.name, name), 0.0) + process.crashes
    return readings
