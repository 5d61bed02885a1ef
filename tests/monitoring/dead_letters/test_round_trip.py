"""A real worker records its failures and processes redriven messages."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from analytics.models import Event
from analytics.tasks import record_events
from messaging.task_publisher import publish
from monitoring.dead_letters import redrive_jobs
from monitoring.dead_letters.inspect import inspect_queue
from monitoring.models import RedriveJob, TaskFailure
from tests.monitoring.dead_letters.bodies import SECRET, finished, put, task_body
from tests.processes import Worker
from tests.waiting import eventually
from waproject.queues import LANES

pytestmark = [pytest.mark.slow("starts processes of the pipeline"), pytest.mark.django_db(transaction=True)]
LANE = LANES["analytics"]


@pytest.fixture
def worker(sqs: Any, tmp_path: Path, db: None) -> Iterator[Worker]:
    """The analytics worker on the test's database."""
    from django.db import connection

    made = connection.settings_dict
    url = f"postgres://waproject:{made['PASSWORD']}@127.0.0.1:{made['PORT']}/{made['NAME']}"
    running = Worker("analytics", tmp_path / "worker.log", DATABASE_URL=url)
    try:
        yield running.wait_ready()
    finally:
        running.stop()


def event() -> dict[str, Any]:
    now = timezone.now().isoformat()
    return {"id": str(uuid4()), "event_type": "t", "data": {}, "source": "api", "client_name": "", "occurred_at": now}


def test_a_failure_is_shown_and_redriven_messages_are_processed(worker: Worker, sqs: Any) -> None:
    publish(record_events, [{"data": SECRET}])
    assert eventually(TaskFailure.objects.exists)
    failure = TaskFailure.objects.get()
    assert (failure.task, failure.place.split(":")[0]) == ("analytics.record_events", "analytics/storage.py")
    assert not any(SECRET in text for text in (failure.message, worker.log))

    put(sqs, task_body(record_events, [{"data": SECRET}], id=failure.task_id), lane="analytics")
    put(sqs, *[task_body(record_events, [event()]) for _ in range(4)], lane="analytics")
    messages = inspect_queue(LANE).messages
    assert [message.failure.error for message in messages if message.failure] == [failure.error]
    assert json.loads(messages[-1].arguments)["args"][0][0]["event_type"] == "t"

    good = [message.message_id for message in messages if not message.failure]
    assert finished(redrive_jobs.request_job(LANE, RedriveJob.Action.REDRIVE, good, "ann")).done == 4
    assert eventually(lambda: Event.objects.count() == 4)
