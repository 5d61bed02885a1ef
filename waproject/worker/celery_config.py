"""Celery's settings; each one prevents a way in which stock Celery loses or repeats work on SQS."""

import json

from django.conf import settings
from kombu import Exchange, Queue
from kombu.serialization import register
from kombu.transport import TRANSPORT_ALIASES

from waproject.queues import LANES, Lane, dead_letter_name
from waproject.worker import database_gate

# kombu's own codec turns {"__type__": …} in any data into Python objects. This one is plain JSON.
register("json", json.dumps, json.loads, content_type="application/json", content_encoding="utf-8")
TRANSPORT_ALIASES["sqs"] = "waproject.sqs.transport:Transport"


def _predefined(lane: Lane) -> dict[str, object]:
    return {
        "url": lane.url,
        "tasks": lane.tasks,
        "joined_tasks": lane.joined_tasks,
        "backoff_policy": dict(enumerate(lane.back_off, start=1)),
        "linger": lane.linger,
        "visibility_timeout": lane.visibility_timeout,
        "capacity": lane.capacity,
    }


# The endpoint is botocore's own AWS_ENDPOINT_URL_SQS, which settings keep on this machine while DEPLOYMENT=local.
broker_url = "sqs://"
broker_connection_retry_on_startup = True
broker_transport_options = {
    # With predefined queues kombu never lists, creates or purges one, and needs no permission to.
    "predefined_queues": {
        **{lane.name: _predefined(lane) for lane in LANES.values()},
        # These have no consumers; outgoing/dead_letter_publisher.py publishes exhausted messages to the outgoing one.
        **{dead_letter_name(lane): {"url": lane.dlq_url} for lane in LANES.values()},
    },
    "region": settings.AWS_REGION,
    "wait_time_seconds": settings.SQS_WAIT_TIME_S,
    # Workers receive and start nothing while the database is unavailable.
    "gate": database_gate.gate.is_open,
}
# Each publishing thread of the web process holds a connection object; all share one publisher.
broker_pool_limit = 200

task_default_queue = "unrouted"  # no such queue: a task without a lane fails where it is published
task_default_exchange = "lanes"
task_create_missing_queues = False
task_queues = [Queue(lane.name, Exchange(""), routing_key=lane.name) for lane in LANES.values()]
task_routes = {task: {"queue": lane.name, "routing_key": lane.name} for lane in LANES.values() for task in lane.tasks}
task_publish_retry = False

# JSON only: unpickling a message could run code of its author.
accept_content = ["json"]
task_serializer = "json"
result_serializer = "json"
task_ignore_result = True

# A message is deleted after its task succeeded. If the task failed or its process died, SQS delivers the message again
# after the back-off, and moves it to the DLQ after max_receives.
task_acks_late = True
task_acks_on_failure = False
task_acks_on_timeout = False
task_reject_on_worker_lost = True
task_time_limit = max(lane.task_time_limit for lane in LANES.values())

# Celery's events and remote control need a fan-out exchange, which SQS lacks; ours use a bus (waproject/bus).
worker_enable_remote_control = False
worker_send_task_events = bool(settings.SQS_MONITOR_QUEUE_URL)
task_send_sent_event = False

# Celery's fixup would close the database connection around every task, 6 ms of CPU each time; the connections are
# checked at task_prerun instead (waproject/celery.py).
CELERY_DB_REUSE_MAX = 10**9
timezone = "UTC"
enable_utc = True

beat_schedule = {
    "roll-up": {"task": "analytics.roll_up", "schedule": 15.0},
}
