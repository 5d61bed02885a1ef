"""A worker survives what ends a stock one: SQS failures and malformed messages."""

import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.utils import timezone

from analytics.models import Event
from analytics.tasks import record_events
from chaos.transport import malformed
from messaging.task_publisher import publish
from testkit.sqs_proxy import Fault, SqsProxy
from tests.processes import Worker
from tests.waiting import eventually
from waproject.queues import LANES
from waproject.sqs import control

pytestmark = [
    pytest.mark.slow("starts processes of the pipeline"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("sqs"),
]
LANE = LANES["analytics"]


@pytest.fixture(scope="module")
def faulty(sqs_server: Any) -> Iterator[SqsProxy]:
    """An SQS that can be made to fail, and whose redrive policy acts within seconds."""
    sqs = control.client("us-east-1")
    before = sqs.get_queue_attributes(QueueUrl=LANE.url, AttributeNames=["RedrivePolicy", "VisibilityTimeout"])
    policy = {**json.loads(before["Attributes"]["RedrivePolicy"]), "maxReceiveCount": "2"}
    quick = {"RedrivePolicy": json.dumps(policy), "VisibilityTimeout": "1"}
    sqs.set_queue_attributes(QueueUrl=LANE.url, Attributes=quick)
    proxy = SqsProxy(urlsplit(os.environ["AWS_ENDPOINT_URL_SQS"]).port or 0)
    yield proxy
    proxy.close()
    sqs.set_queue_attributes(QueueUrl=LANE.url, Attributes=before["Attributes"])


@pytest.fixture(scope="module")
def worker(faulty: SqsProxy, tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[Worker]:
    """The analytics worker behind that SQS, on the tests' database: one, which outlives all of this."""
    from django.db import connection

    port = connection.settings_dict["PORT"]
    password = connection.settings_dict["PASSWORD"]
    url = f"postgres://waproject:{password}@127.0.0.1:{port}/{connection.settings_dict['NAME']}"
    log = tmp_path_factory.mktemp("survives") / "worker.log"
    running = Worker("analytics", log, AWS_ENDPOINT_URL_SQS=faulty.endpoint, DATABASE_URL=url)
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


def test_a_starting_worker_warns_of_a_low_max_receive_count(worker: Worker) -> None:
    assert eventually(lambda: "has maxReceiveCount 2" in worker.log), worker.log


@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.EXPIRED, Fault.THROTTLED, Fault.CLOSED])
def test_a_failing_sqs_does_not_end_the_worker(fault: Fault, faulty: SqsProxy, worker: Worker) -> None:
    faulty.fault, faulty.hits = fault, 0
    before = track()
    assert eventually(lambda: faulty.hits >= 2)
    faulty.fault = None
    after = track()
    assert eventually(lambda: is_stored(before) and is_stored(after)), worker.log
    assert worker.is_alive()


POISON = malformed.bodies("analytics.record_events").values()


def test_malformed_messages_reach_the_dlq_and_the_worker_survives(sqs: Any, worker: Worker) -> None:
    for body in POISON:
        sqs.send_message(QueueUrl=LANE.url, MessageBody=body)
    good = track()
    assert eventually(lambda: is_stored(good)), worker.log
    assert eventually(lambda: dlq_depth(sqs) == len(POISON)), worker.log
    assert worker.is_alive()
    assert "os.system" not in worker.log


def dlq_depth(sqs: Any) -> int:
    name = "ApproximateNumberOfMessages"
    return int(sqs.get_queue_attributes(QueueUrl=LANE.dlq_url, AttributeNames=[name])["Attributes"][name])
