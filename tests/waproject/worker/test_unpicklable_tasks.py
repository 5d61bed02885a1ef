"""A task that cannot be pickled for a pool process fails alone, also if it passes the checks of arguments."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from analytics.models import Event
from monitoring.models import TaskFailure
from testkit.task_message import task_message
from tests.processes import Process
from tests.waiting import eventually
from waproject.queues import LANES

pytestmark = [
    pytest.mark.slow("starts processes of the pipeline"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("sqs"),
]

LANE = LANES["analytics"]
TASK = "analytics.record_events"
# More of each kind than the worker delivers to its pool at once: a leaked prefetch slot each would stall it.
EACH = 6
TOO_DEEP = 490
UNPICKLABLE = "unpicklable"
ATTRIBUTES = ["RedrivePolicy", "VisibilityTimeout"]


@pytest.fixture
def one_receive(sqs: Any) -> Iterator[None]:
    """A queue with maxReceiveCount 1."""
    before = sqs.get_queue_attributes(QueueUrl=LANE.url, AttributeNames=ATTRIBUTES)["Attributes"]
    policy = {**json.loads(before["RedrivePolicy"]), "maxReceiveCount": "1"}
    sqs.set_queue_attributes(QueueUrl=LANE.url, Attributes={"RedrivePolicy": json.dumps(policy)})
    yield
    sqs.set_queue_attributes(QueueUrl=LANE.url, Attributes=before)


@pytest.fixture
def worker(one_receive: None, tmp_path: Path) -> Iterator[Process]:
    at = connection.settings_dict
    url = f"postgres://waproject:{at['PASSWORD']}@127.0.0.1:{at['PORT']}/{at['NAME']}"
    app = "tests.waproject.worker.doubles.unchecked_worker"
    arguments = ["-m", "celery", "-A", app, "worker", "-Q", "analytics"]
    running = Process(arguments, " ready.", tmp_path / "worker.log", SQS_WAIT_TIME_S="1", DATABASE_URL=url)
    try:
        yield running.wait_ready()
    finally:
        running.stop()


def pids(worker: Process) -> set[int]:
    """The pids of a worker and its pool."""
    return {worker.pid, *map(int, Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split())}


def dead_letters(sqs: Any) -> int:
    name = "ApproximateNumberOfMessages"
    return int(sqs.get_queue_attributes(QueueUrl=LANE.dlq_url, AttributeNames=[name])["Attributes"][name])


def test_unpicklable_and_too_deep_arguments_reach_the_dlq_with_their_reason_and_no_process_ends(
    sqs: Any, worker: Process
) -> None:
    deep: Any = "deep"
    for _ in range(TOO_DEEP):
        deep = [deep]
    before, valid = pids(worker), [str(uuid4()) for _ in range(EACH)]
    for event_id in valid:
        event = {"id": event_id, "event_type": "t", "data": {}, "source": "api", "client_name": ""}
        event["occurred_at"] = timezone.now().isoformat()
        for argument in (deep, [event], UNPICKLABLE):
            sqs.send_message(QueueUrl=LANE.url, MessageBody=task_message(TASK, argument))
    assert eventually(lambda: dead_letters(sqs) == 2 * EACH), worker.log[-3000:]
    assert pids(worker) == before
    assert {str(pk) for pk in Event.objects.values_list("pk", flat=True)} == set(valid)
    failures = list(TaskFailure.objects.filter(error="TaskNotPicklable"))
    assert len(failures) == 2 * EACH
    assert {failure.message.rpartition(": ")[2] for failure in failures} >= {"RecursionError"}
    assert UNPICKLABLE not in worker.log
