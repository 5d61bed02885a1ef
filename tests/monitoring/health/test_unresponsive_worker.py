"""Real workers that receive messages and finish none: their health and alerts say so within a minute."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from analytics.tasks import record_events
from messaging.task_publisher import publish
from monitoring.alerts.store import open_alerts
from monitoring.health import views
from monitoring.health.task_progress import STALLED_AFTER_S
from monitoring.metrics import samples
from monitoring.models import Heartbeat
from monitoring.monitor import PROCESSES_EVERY_S, Monitor
from tests.processes import Process, Worker
from tests.waiting import eventually
from waproject.worker.liveness import REPORT_EVERY_S

pytestmark = [pytest.mark.slow("starts processes of the pipeline"), pytest.mark.django_db(transaction=True)]
# A worker whose event loop hangs 20 s after its start, once it has reported that it works.
HANGING = """
import time
from celery import signals
from waproject.celery import app

@signals.worker_ready.connect(weak=False)
def hang_soon(sender, **_):
    sender.hub.call_later(20, time.sleep, 300)

app.worker_main(["worker", "-Q", "analytics"])
"""


@pytest.fixture
def environment(sqs: Any, settings: Any) -> Iterator[dict[str, str]]:
    """The environment of a worker on the test's database; analytics is the only kind that is expected."""
    settings.EXPECTED_PROCESSES = ["analytics"]
    at = connection.settings_dict
    url = f"postgres://waproject:{at['PASSWORD']}@127.0.0.1:{at['PORT']}/{at['NAME']}"
    yield {"DATABASE_URL": url}
    views.stop()


@contextmanager
def ended(worker: Process) -> Iterator[Process]:
    """A worker that is ready, and stopped at the end of the block."""
    try:
        yield worker.wait_ready()
    finally:
        worker.stop()


def is_down() -> bool:
    answer = Client().get("/health/workers")
    return (answer.status_code, answer.json()["status"]) == (503, "down")


def is_ok() -> bool:
    answer = Client().get("/health/workers")
    return (answer.status_code, answer.json()["status"]) == (200, "ok")


def alerts_fire(monitor: Monitor) -> bool:
    """Whether the monitor notices by itself, and its next tick fires both alerts."""
    if monitor._processes_changed():
        monitor.tick()
    return {"process-gone", "process-missing"} <= set(open_alerts().values_list("rule", flat=True))


def watching() -> Monitor:
    """A monitor that has watched the worker for a while."""
    for seconds in (90, 60, 30):
        samples.store(timezone.now() - timedelta(seconds=seconds), {("waproject_processes", "analytics"): 1.0})
    monitor = Monitor()
    monitor._resume()
    monitor.tick()
    assert not open_alerts().exists()
    return monitor


def test_the_times_of_the_parts_add_up_to_less_than_a_minute() -> None:
    assert STALLED_AFTER_S + REPORT_EVERY_S + PROCESSES_EVERY_S < 60


def test_a_worker_whose_pool_processes_are_stopped_is_noticed(environment: dict[str, str], tmp_path: Path) -> None:
    with ended(Worker("analytics", tmp_path / "worker.log", **environment)) as worker:
        assert eventually(is_ok), worker.log  # idle, and healthy
        monitor = watching()
        pid = worker.process.pid
        pool = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        assert len(pool) >= 2
        for child in pool:
            os.kill(child, signal.SIGSTOP)
        try:
            for _ in range(4):
                publish(record_events, [])
            assert eventually(lambda: alerts_fire(monitor) and is_down(), every=1), worker.log
        finally:
            for child in pool:
                os.kill(child, signal.SIGCONT)
        assert eventually(is_ok, every=1), worker.log
        assert Heartbeat.objects.get().crashes == 0


def test_a_worker_whose_event_loop_hangs_is_noticed(environment: dict[str, str], tmp_path: Path) -> None:
    command = ["-c", HANGING]
    with ended(Process(command, " ready.", tmp_path / "worker.log", SQS_WAIT_TIME_S="1", **environment)) as worker:
        assert eventually(is_ok), worker.log
        monitor = watching()
        assert eventually(lambda: alerts_fire(monitor) and is_down(), every=1), worker.log
        worker.process.kill()
