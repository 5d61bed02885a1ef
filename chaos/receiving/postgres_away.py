"""PostgreSQL is down while SQS is up: webhooks and events are accepted, workers pause, and all is stored afterwards."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg2

from chaos.scenario import Form, Harm, Outcome
from testkit.load.webhooks import WebhookSender, inbound
from testkit.pipeline import Pipeline
from testkit.task_message import task_message
from testkit.waiting import eventually
from waproject.sqs.publisher import Outgoing, Publisher
from waproject.sqs.wire import Client

FIRST_S = 1.0
# A message that failed before its worker noticed is hidden for 10 s, or for 30 s where it failed twice.
SETTLE_S = 75.0
LANES = ("incoming", "analytics")
# A message may be received before its worker notices, and again where a worker left it to its back-off.
MOST_RECEIVES = 3
STORED = "SELECT (SELECT count(*) FROM messaging_message) + (SELECT count(*) FROM analytics_event)"


def inject(pipeline: Pipeline, form: Form, harm: Harm) -> Outcome:
    """Half of the messages are webhooks and half events, spread over the outage and a second before and after."""
    load = _Load(pipeline, form.messages // 2, form.load_s)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(load.run)
        time.sleep(FIRST_S)
        harm(pipeline.postgres.stop)
        before = load.accepted
        time.sleep(form.fault_s)
        while_away = 0 if _answers(pipeline) else load.accepted - before
        if pipeline.postgres.pid is None:
            pipeline.start_postgres()
        running.result()
    eventually(lambda: _stored(pipeline) >= form.messages, SETTLE_S, 0.25)
    missing = form.messages - _stored(pipeline)
    queues = pipeline.sqs.counts()["queues"]
    dead = sum(queues[f"waproject-{lane}-dlq"]["waiting"] for lane in LANES)
    most = max(queues[f"waproject-{lane}"]["most_receives"] for lane in LANES)
    remark = f"{dead} in the DLQs; at most {most} receives of one; {load.refused} refused"
    # A refused webhook, and a message received more often than explained, break the promise as well.
    doubled = max(0, most - MOST_RECEIVES) + load.refused
    return Outcome(dead, doubled, max(0, missing), load.accepted, while_away, remark)


def _answers(pipeline: Pipeline) -> bool:
    try:
        pipeline.connect().close()
    except psycopg2.OperationalError:
        return False
    return True


def _stored(pipeline: Pipeline) -> int:
    try:
        return pipeline.number(STORED)
    except psycopg2.OperationalError:
        return 0


class _Load:
    """`each` webhooks and as many events. accepted: by web or SQS. refused: webhooks not answered 200 at once."""

    def __init__(self, pipeline: Pipeline, each: int, seconds: float) -> None:
        self._env, self._each, self._seconds = pipeline.env, each, seconds
        self.accepted = self.refused = 0

    def run(self) -> None:
        """Send them evenly. Raises a sender's exceptions."""
        sender = WebhookSender(self._env)
        os.environ.update(AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local")  # noqa: S106 - signs for nobody
        publisher = Publisher(Client(self._env["AWS_REGION"], self._env["AWS_ENDPOINT_URL_SQS"]))
        url = self._env["SQS_ANALYTICS_QUEUE_URL"]
        began = time.monotonic()
        for number in range(self._each):
            time.sleep(max(0.0, began + number * self._seconds / self._each - time.monotonic()))
            update = inbound(f"1555{3_000_000 + number}", f"wamid.in{number}", int(time.time()))
            self.refused += sender.post([update])
            publisher.send(Outgoing(url, task_message("analytics.record_events", [_event()])))
            self.accepted += 2


def _event() -> dict[str, object]:
    at = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    about = {"event_type": "chaos", "data": {}, "source": "api", "client_name": ""}
    return {"id": str(uuid4()), **about, "occurred_at": at}
