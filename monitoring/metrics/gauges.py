"""Gauges: queues, waiting rows, business numbers, subscriptions, files, processes.

Each reading is a series like those of the counts. What cannot be asked, such as queues while SQS is away, is missing
and not zero.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from messaging.media_states import TRIED_FOR
from messaging.models import PRIORITY_NAMES
from monitoring.health import State, workers
from monitoring.queue_depth import QueuesAway, lane_depths
from waproject.metrics.counters import Series

logger = logging.getLogger(__name__)

Readings = dict[Series, float]

# Rows of a kind that are counted at most: beyond it the exact number changes no decision, and counting costs.
MOST_COUNTED = 100_000
SQS_TIMEOUT_S = 1.0
# A file that came in no time since it was expected; those of the history may take longer.
MEDIA_LATE_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Gauge:
    """Something that rises and falls."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()


SQS_UP = Gauge("waproject_sqs_up", "1 while SQS answers")
QUEUE = Gauge("waproject_queue_messages", "Messages on a lane's queue, as SQS counts", ("lane", "state"))
QUEUE_AGE = Gauge("waproject_queue_oldest_seconds", "Estimated age of the oldest message on a queue", ("lane",))
DLQ = Gauge("waproject_dlq_messages", "Messages on a lane's dead-letter queue", ("lane",))
WAITING = Gauge("waproject_messages", f"Outbound messages without an outcome, to {MOST_COUNTED} a kind", ("state",))
UNKNOWN = Gauge("waproject_unknown_messages", "Lost answers: being settled, or held for a person", ("held",))
DOUBLED = Gauge("waproject_doubled_messages", "Messages that Meta took twice, in the last 24 hours")
OLDEST_DUE = Gauge("waproject_oldest_due_seconds", "How long the oldest message that may go is due", ("priority",))
LAG = Gauge("waproject_dispatcher_lag_seconds", "How long nothing was released of a number that has due messages")
PACE = Gauge("waproject_number_pace", "Messages a second that a number may send now", ("number",))
PAUSED = Gauge("waproject_number_paused", "1 while a number is paused", ("number",))
PROBING = Gauge("waproject_number_probing", "1 while a number only probes, after lost answers in a row", ("number",))
QUALITY_LOW = Gauge("waproject_number_quality_low", "1 while Meta flags a number for its low quality", ("number",))
TEMPLATE_HELD = Gauge("waproject_template_held", "1 while a template that Meta stopped is held", ("template",))
SUBSCRIPTION_OFF = Gauge(
    "waproject_subscription_disabled", "1 for a subscription that was disabled because it failed", ("subscription",)
)
UNDELIVERED = Gauge("waproject_deliveries_waiting", f"Deliveries that wait for a subscriber, to {MOST_COUNTED}")
MEDIA_FILES = Gauge(
    "waproject_media_files", "Files of messages: waiting; late by an hour; not come, in the last 24 hours", ("state",)
)
PROCESSES = Gauge("waproject_processes", "Living processes; 0 for a kind that is expected", ("kind",))
HEARTBEAT_AGE = Gauge("waproject_heartbeat_age_seconds", "How long ago a process was seen", ("process",))
PROCESS_GONE = Gauge("waproject_process_gone", "1 for a process that ended without a word", ("process",))
CRASHES = Gauge("waproject_process_crashes", "How often one in this place ended without a word", ("process",))
SAMPLE_AGE = Gauge("waproject_sample_age_seconds", "Age of the monitor's latest readings")

GAUGES: tuple[Gauge, ...] = (
    SQS_UP, QUEUE, QUEUE_AGE, DLQ, WAITING, UNKNOWN, DOUBLED, OLDEST_DUE, LAG, PACE, PAUSED, PROBING, QUALITY_LOW,
    TEMPLATE_HELD, SUBSCRIPTION_OFF, UNDELIVERED, MEDIA_FILES, PROCESSES, HEARTBEAT_AGE, PROCESS_GONE, CRASHES,
    SAMPLE_AGE,
)  # fmt: skip


def read() -> Readings:
    """All readings. Raises django.db errors; SQS away is a reading."""
    return {**read_queues(), **read_database()}


def read_queues() -> Readings:
    """The queues and their dead-letter queues, asked for at once."""
    try:
        depths = lane_depths(SQS_TIMEOUT_S)
    except QueuesAway as error:
        logger.warning("SQS does not say how full the queues are: %s", error)
        return {(SQS_UP.name,): 0.0}
    readings: Readings = {(SQS_UP.name,): 1.0}
    for name, (queue, dlq) in depths.items():
        readings[QUEUE.name, name, "waiting"] = queue.waiting
        readings[QUEUE.name, name, "in_flight"] = queue.in_flight
        readings[QUEUE.name, name, "delayed"] = queue.delayed
        readings[DLQ.name, name] = dlq.total
    return readings


def read_database() -> Readings:
    """What waits, and the numbers. Every statement is answered from a partial index or a small table."""
    return {
        **_on_the_way(),
        **_unknown(),
        **_due(),
        **_numbers(),
        **_quality(),
        **_templates(),
        **_subscriptions(),
        **_media(),
        **read_processes(),
    }


def _on_the_way() -> Readings:
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
            {"most": MOST_COUNTED},
        )
        readings.update({(WAITING.name, state): float(count) for state, count in cursor.fetchall()})
    return readings


def _unknown() -> Readings:
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


def _due() -> Readings:
    """Of numbers that may send: the oldest due message by priority, and since when nothing was released."""
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
        for priority, due, waits in cursor.fetchall():
            series = (OLDEST_DUE.name, PRIORITY_NAMES[priority])
            readings[series] = max(readings[series], due)
            lag = max(lag, waits)
    return {**readings, (LAG.name,): lag}


def _numbers() -> Readings:
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


# What Meta's phone_number_quality_update says of the quality; other events of it, such as ONBOARDING, say nothing.
QUALITY_IS_LOW = {"FLAGGED": True, "DOWNGRADE": True, "UNFLAGGED": False, "UPGRADE": False, "THROUGHPUT_UPGRADE": False}


def _quality() -> Readings:
    """By the latest event of each number. Meta names the number, and not always its id."""
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


def _templates() -> Readings:
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
            [MOST_COUNTED],
        )
        (waiting,) = cursor.fetchone()
    return {**off, (UNDELIVERED.name,): float(waiting)}


def _media() -> Readings:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), count(*) FILTER (WHERE rank = 0 AND give_up_at < %(late)s), (
              SELECT count(*) FROM messaging_media
              WHERE finished_at > statement_timestamp() - interval '24 hours' AND state <> 'stored')
            FROM (SELECT rank, give_up_at FROM messaging_media WHERE finished_at IS NULL LIMIT %(most)s) waiting
            """,
            {"most": MOST_COUNTED, "late": timezone.now() + TRIED_FOR - MEDIA_LATE_AFTER},
        )
        counts = cursor.fetchone()
    return {(MEDIA_FILES.name, state): float(n) for state, n in zip(("waiting", "late", "lost"), counts, strict=True)}


def read_processes() -> Readings:
    """Which processes live. Of several with one name the one that was seen last speaks for all."""
    seen = workers()
    readings: Readings = {(PROCESSES.name, kind): 0.0 for kind in seen.missing}
    for process in seen.processes:
        name = process.name.replace("/", "_")[:100]
        age, gone = (HEARTBEAT_AGE.name, name), (PROCESS_GONE.name, name)
        if process.state is State.ALIVE:
            readings[PROCESSES.name, process.kind] = float(seen.alive(process.kind))
        if process.state is not State.REPLACED:
            readings[age] = min(process.age_s, readings.get(age, process.age_s))
            readings[gone] = max(float(process.state is State.GONE), readings.get(gone, 0.0))
            readings[CRASHES.name, name] = readings.get((CRASHES.name, name), 0.0) + process.crashes
    return readings
