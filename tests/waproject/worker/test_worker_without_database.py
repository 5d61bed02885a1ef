"""A worker without its database starts nothing, uses up no receives, and resumes afterwards."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from analytics.models import Event
from analytics.tasks import record_events
from messaging.task_publisher import message
from testkit.silent_proxy import SilentProxy
from testkit.sqs_server import SqsServer
from tests.processes import Process
from tests.waiting import eventually, never
from waproject.sqs.publisher import Outgoing, Publisher
from waproject.sqs.wire import Client

pytestmark = [pytest.mark.slow("starts processes of the pipeline"), pytest.mark.django_db(transaction=True)]
EVENTS = 60
# Celery's own command, with a shorter patience: a silent database is found out by tasks that run for long.
IMPATIENT = """
from waproject.worker import database_gate, database_probe
database_gate.SLOW_TASK_S, database_gate.CHECK_EVERY_S, database_probe.ANSWER_S = 0.5, 0.2, 0.5
from celery.__main__ import main
main()
"""
AWAY, BACK = "the database is unavailable", "the database is back"


class Lane:
    """The analytics lane: a worker of two processes, an SQS that counts, a database behind a proxy."""

    def __init__(self, server: SqsServer, log: Path) -> None:
        self._server = server
        url = server.create_queue("analytics-dlq")
        policy = '{"maxReceiveCount": "10", "deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:analytics-dlq"}'
        self.url = server.create_queue("analytics", VisibilityTimeout="120", RedrivePolicy=policy)
        database = connection.settings_dict
        self.proxy = SilentProxy(int(database["PORT"]))
        user, name = f"waproject:{database['PASSWORD']}", database["NAME"]
        self.worker = Process(
            ["-c", IMPATIENT, "-A", "waproject", "worker", "-Q", "analytics"], " ready.", log,
            AWS_ENDPOINT_URL_SQS=server.endpoint, SQS_ANALYTICS_QUEUE_URL=self.url, SQS_ANALYTICS_DLQ_URL=url,
            SQS_WAIT_TIME_S="1", DATABASE_URL=f"postgres://{user}@127.0.0.1:{self.proxy.port}/{name}",
        )  # fmt: skip

    def track(self, number: int) -> None:
        """Put events on the queue, a message each."""
        now = timezone.now().isoformat()
        events = [
            {"id": str(uuid4()), "event_type": "t", "data": {}, "source": "api", "client_name": "", "occurred_at": now}
            for _ in range(number)
        ]
        tasks = [Outgoing(self.url, message(record_events, ([event],)).body) for event in events]
        assert not any(Publisher(Client("us-east-1", self._server.endpoint)).send_many(tasks))

    def counts(self) -> dict[str, int]:
        return dict(self._server.counts()["queues"]["analytics"])

    def received(self) -> int:
        """Messages that the worker got, each time counted."""
        return int(self._server.counts()["messages"]["ReceiveMessage"])

    def said(self, words: str) -> Callable[[], bool]:
        return lambda: words in self.worker.log


@pytest.fixture
def lane(tmp_path: Path, db: None) -> Iterator[Lane]:
    with SqsServer() as server:
        running = Lane(server, tmp_path / "worker.log")
        try:
            running.worker.wait_ready()
            running.track(1)
            assert eventually(lambda: Event.objects.count() == 1), running.worker.log
            yield running
        finally:
            running.worker.stop()
            running.proxy.close()


def go_away(lane: Lane) -> None:
    lane.proxy.close()


def fall_silent(lane: Lane) -> None:
    lane.proxy.forwards.clear()


def come_back(lane: Lane) -> None:
    if not lane.proxy.forwards.is_set():
        lane.proxy.forwards.set()
    else:
        lane.proxy.open()


@pytest.mark.parametrize("leave", [go_away, fall_silent])
def test_a_worker_without_its_database_receives_nothing_and_loses_nothing(
    leave: Callable[[Lane], None], lane: Lane
) -> None:
    leave(lane)
    lane.track(EVENTS)
    assert eventually(lane.said(AWAY)), lane.worker.log
    received = lane.received()
    assert never(lambda: lane.received() > received + 20, 2), "it still receives"
    come_back(lane)
    assert eventually(lane.said(BACK)), lane.worker.log
    assert eventually(lambda: Event.objects.count() == EVENTS + 1), lane.worker.log
    counts = lane.counts()
    assert (counts["most_receives"] <= 2, lane.received() <= EVENTS + 1 + 4, counts["sent"]) == (True, True, EVENTS + 1)
