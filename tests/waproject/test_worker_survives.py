"""A worker outlives what ends a stock one: an SQS that fails, and messages that are no tasks."""

import base64
import json
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.utils import timezone

from analytics.models import Event
from analytics.tasks import record_events
from messaging.publishing import publish
from tests.processes import Worker, eventually
from tests.waproject.faulty_sqs import FaultySqs
from waproject.queues import LANES

pytestmark = pytest.mark.django_db(transaction=True)
LANE = LANES["analytics"]


@pytest.fixture
def faulty(sqs: Any) -> Iterator[FaultySqs]:
    """An SQS that can be made to fail, and whose redrive policy acts within seconds."""
    before = sqs.get_queue_attributes(QueueUrl=LANE.url, AttributeNames=["RedrivePolicy", "VisibilityTimeout"])
    policy = {**json.loads(before["Attributes"]["RedrivePolicy"]), "maxReceiveCount": "2"}
    quick = {"RedrivePolicy": json.dumps(policy), "VisibilityTimeout": "1"}
    sqs.set_queue_attributes(QueueUrl=LANE.url, Attributes=quick)
    proxy = FaultySqs(urlsplit(os.environ["AWS_ENDPOINT_URL_SQS"]).port or 0)
    yield proxy
    proxy.close()
    sqs.set_queue_attributes(QueueUrl=LANE.url, Attributes=before["Attributes"])


@pytest.fixture
def worker(faulty: FaultySqs, tmp_path: Path, db: None) -> Iterator[Worker]:
    """The analytics worker behind that SQS, on the test's database."""
    from django.db import connection

    port = connection.settings_dict["PORT"]
    password = connection.settings_dict["PASSWORD"]
    url = f"postgres://waproject:{password}@127.0.0.1:{port}/{connection.settings_dict['NAME']}"
    running = Worker("analytics", tmp_path / "worker.log", AWS_ENDPOINT_URL_SQS=faulty.endpoint, DATABASE_URL=url)
    try:
        yield running.wait_ready()
    finally:
        running.stop()


def track() -> str:
    """Put one event on the queue and return its id."""
    event_id = str(uuid4())
    event = {"id": event_id, "event_type": "t", "data": {}, "source": "api", "client_name": ""}
    publish(record_events, [{**event, "occurred_at": timezone.now().isoformat()}])
    return event_id


def is_stored(event_id: str) -> bool:
    return Event.objects.filter(pk=event_id).exists()


@pytest.mark.parametrize("fault", ["503", "400", "close"])
def test_a_failing_sqs_does_not_end_the_worker(fault: str, faulty: FaultySqs, worker: Worker) -> None:
    faulty.fault = fault
    before = track()
    assert eventually(lambda: faulty.faults_answered >= 2, 25)
    faulty.fault = None
    after = track()
    assert eventually(lambda: is_stored(before) and is_stored(after), 15), worker.log
    assert worker.is_alive()


def task_message(**changes: Any) -> str:
    body = base64.b64encode(json.dumps([[[]], {}, {}]).encode()).decode()
    message = {
        "body": body,
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"id": "1", "task": "analytics.record_events", "lang": "py"},
        "properties": {"body_encoding": "base64", "delivery_info": {"routing_key": "analytics"}},
    }
    return json.dumps({**message, **changes})


POISON = [
    "hello",
    "{}",
    "[1, 2]",
    '{"order": 7}',
    base64.b64encode(pickle.dumps({"a": 1})).decode(),
    task_message(headers={"task": "analytics.record_events"}),
    task_message(headers={"id": "1", "task": "os.system"}),
    task_message(body=base64.b64encode(b"not json").decode()),
    task_message(body=base64.b64encode(b"{}").decode()),
    task_message(body="%%%"),
    task_message(body=None),
    task_message(properties={"body_encoding": "rot13"}),
    task_message(**{"content-type": "application/x-python-serialize"}),
]


def test_messages_that_are_no_tasks_reach_the_dlq_and_the_worker_lives(sqs: Any, worker: Worker) -> None:
    for body in POISON:
        sqs.send_message(QueueUrl=LANE.url, MessageBody=body)
    good = track()
    assert eventually(lambda: is_stored(good), 15), worker.log
    assert eventually(lambda: dlq_depth(sqs) == len(POISON), 30), worker.log
    assert worker.is_alive()
    assert "os.system" not in worker.log


def dlq_depth(sqs: Any) -> int:
    name = "ApproximateNumberOfMessages"
    return int(sqs.get_queue_attributes(QueueUrl=LANE.dlq_url, AttributeNames=[name])["Attributes"][name])
