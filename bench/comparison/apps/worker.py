"""The Celery application of the transport's measurement; BENCH_KIND says whose transport it uses, ours or stock.

Stock has its best settings, not its defaults, with which it handles 8 messages a second. transport.py searches for its
concurrency and prefetch multiplier.
"""

import json
import os
import time
from typing import Any

from celery import Celery
from kombu import Exchange, Queue
from kombu.serialization import register
from kombu.transport import TRANSPORT_ALIASES

KIND = os.environ["BENCH_KIND"]
URL = os.environ["BENCH_QUEUE_URL"]
LEDGER = os.open(os.environ["BENCH_LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
TASK = "bench.noop"

options: dict[str, Any] = {"region": "us-east-1", "wait_time_seconds": 20}
entry: dict[str, Any] = {"url": URL}
if KIND == "ours":
    register("json", json.dumps, json.loads, content_type="application/json", content_encoding="utf-8")
    TRANSPORT_ALIASES["sqs"] = "waproject.sqs.transport:Transport"
    entry |= {"tasks": (TASK,), "linger": 0.05, "visibility_timeout": 120, "capacity": 40}
else:
    from kombu.transport.SQS import Transport

    Transport.polling_interval = 0.05
    options |= {"sqs_base64_encoding": False}
options["predefined_queues"] = {"bench": entry}

app = Celery("bench")
app.conf.update(
    broker_url="sqs://",
    broker_transport_options=options,
    task_default_queue="bench",
    task_queues=[Queue("bench", Exchange(""), routing_key="bench")],
    task_default_exchange="bench",
    task_default_routing_key="bench",
    task_create_missing_queues=False,
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_pool_limit=200,
    accept_content=["json"],
)
if KIND == "ours":
    app.steps["worker"].add("waproject.worker.prefork:Prefork")


@app.task(name=TASK)
def noop(published: float) -> None:
    """Record when this was published and when it began."""
    os.write(LEDGER, b"%.6f %.6f\n" % (published, time.time()))
