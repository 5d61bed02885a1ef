"""PostgreSQL is away while SQS is up: webhooks and events go on coming, workers pause, and all is stored afterwards."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import uuid4

import psycopg2

from bench.task_message import task_message
from chaos.processes import NotReady, wait_until
from chaos.receiving.pipeline import count, with_pipeline
from chaos.receiving.webhooks import Meta, inbound
from chaos.scenario import Outcome
from chaos.sending.stack import Stack
from waproject.sqs.publisher import Outgoing, Publisher
from waproject.sqs.wire import Client

FULL = 1000
AWAY_S, SHORT_AWAY_S = 60.0, 10.0
FIRST_S = 1.0
# What failed before its worker knew is hidden for 10 s, or 30 where it was the second time.
SETTLE_S = 75.0
LANES = ("incoming", "analytics")
# One of these may be received before a worker knows, and once more where a worker left it to its back-off.
MOST_RECEIVES = 3


def run(messages: int) -> Outcome:
    """As many webhooks and as many events, spread over the outage and a little before and after."""
    return with_pipeline(lambda stack: _run(stack, messages, AWAY_S if messages >= FULL else SHORT_AWAY_S))


def _run(stack: Stack, messages: int, away_s: float) -> Outcome:
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(_load, stack, messages, away_s + 2 * FIRST_S)
        time.sleep(FIRST_S)
        stack.postgres.stop()
        time.sleep(away_s)
        stack.start_postgres()
        refused = load.result()
    with suppress(NotReady):
        wait_until(lambda: _stored(stack) >= 2 * messages, "everything is stored", SETTLE_S, 0.25)
    missing = 2 * messages - _stored(stack)
    queues = stack.sqs_control("counts")["queues"]
    dead = sum(queues[f"waproject-{lane}-dlq"]["waiting"] for lane in LANES)
    most = max(queues[f"waproject-{lane}"]["most_receives"] for lane in LANES)
    remark = f"away for {away_s:.0f} s; {dead} in the DLQs; at most {most} receives of one; {refused} refused"
    # A webhook that was refused, and a message received more often than explained, break the promise as well.
    return Outcome(dead, max(0, most - MOST_RECEIVES) + refused, max(0, missing), remark)


def _stored(stack: Stack) -> int:
    try:
        return count(stack, "SELECT (SELECT count(*) FROM messaging_message) + (SELECT count(*) FROM analytics_event)")
    except psycopg2.OperationalError:
        return 0


def _load(stack: Stack, messages: int, seconds: float) -> int:
    """How many webhooks were not answered 200."""
    meta, refused = Meta(stack.env), 0
    os.environ.update(AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local")  # noqa: S106 - signs for nobody
    publisher = Publisher(Client(stack.env["AWS_REGION"], stack.env["AWS_ENDPOINT_URL_SQS"]))
    url = stack.env["SQS_ANALYTICS_QUEUE_URL"]
    began = time.monotonic()
    for number in range(messages):
        time.sleep(max(0.0, began + number * seconds / messages - time.monotonic()))
        refused += meta.post([("messages", inbound(number, int(time.time())))])
        publisher.send(Outgoing(url, task_message("analytics.record_events", [_event()])))
    return refused


def _event() -> dict[str, object]:
    at = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    about = {"event_type": "chaos", "data": {}, "source": "api", "client_name": ""}
    return {"id": str(uuid4()), **about, "occurred_at": at}
