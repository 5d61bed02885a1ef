"""Real workers and a real Flower, on nothing but SQS."""

import base64
import json
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.utils import timezone

from analytics.models import Event
from analytics.tasks import record_events
from messaging.task_publisher import publish
from testkit.ports import free_port
from testkit.sqs_proxy import Fault, SqsProxy
from tests import warm_python
from tests.processes import CHECKOUT, Process
from tests.waiting import PATIENCE_S, eventually
from waproject.bus import queues
from waproject.bus.addresses import Addresses, queue_name
from waproject.queues import LANES
from waproject.sqs import control

pytestmark = [pytest.mark.slow("starts processes of the pipeline"), pytest.mark.django_db(transaction=True)]
BUS = f"{os.environ['AWS_ENDPOINT_URL_SQS']}/000000000000/test-monitor"
LOG_IN = "ops:pass-word"
PRIVATE = "15551230001"
# Celery's own command, with more frequent heartbeats: Flower takes a worker for gone after twice their interval.
LIVELY = """
from waproject.bus import events
events.HEARTBEAT_S = 3.0
from celery.__main__ import main
main()
"""


class Flower:
    """`celery -A waproject flower`, and what it answers under /ops."""

    def __init__(self, log: Path, **environment: str) -> None:
        self.port = free_port()
        self._log = log
        options = {"FLOWER_BASIC_AUTH": LOG_IN, "FLOWER_URL_PREFIX": "ops", "FLOWER_PORT": str(self.port)}
        with log.open("wb") as output:
            self.process = warm_python.Popen(
                [sys.executable, "-m", "celery", "-A", "waproject", "flower", "--address=127.0.0.1"],
                env={**os.environ, **options, **environment}, cwd=CHECKOUT, stdout=output, stderr=output,
            )  # fmt: skip

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def page(self, path: str, log_in: str | None = LOG_IN, data: bytes | None = None) -> str:
        """A page as text. Raises urllib.error.HTTPError."""
        headers = {"Authorization": f"Basic {base64.b64encode(log_in.encode()).decode()}"} if log_in else {}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/ops{path}", data, headers)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return str(answer.read().decode())

    def online(self) -> set[str]:
        """The names before the @ of the workers that Flower shows as online."""
        try:
            workers = json.loads(self.page("/workers?json=1"))["data"]
        except OSError:
            return set()
        return {worker["hostname"].partition("@")[0] for worker in workers if worker["status"]}

    def tasks(self) -> list[dict[str, Any]]:
        return list(json.loads(self.page("/api/tasks")).values())

    def status(self, path: str, **options: Any) -> int:
        """The HTTP status of a page."""
        try:
            self.page(path, **options)
        except urllib.error.HTTPError as error:
            return error.code
        return 200


class Stack:
    """Three workers and Flower. To the analytics worker, `faulty` can keep SQS from answering about the bus."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.directory, self.environment = directory, environment
        self.faulty = SqsProxy(urlsplit(os.environ["AWS_ENDPOINT_URL_SQS"]).port or 0, about=b"test-monitor")
        self.workers = {lane: self.worker(lane) for lane in LANES}
        self.flower = Flower(directory / "flower.log", **environment)

    def worker(self, lane: str) -> Process:
        """Start a worker."""
        arguments = ["-c", LIVELY, "-A", "waproject", "worker", "-Q", lane]
        way = {"AWS_ENDPOINT_URL_SQS": self.faulty.endpoint} if lane == "analytics" else {}
        return Process(
            arguments, " ready.", self.directory / f"{lane}-{uuid4().hex}.log", **{**self.environment, **way}
        )

    def close(self) -> None:
        self.faulty.set(None)
        self.flower.process.terminate()
        for worker in self.workers.values():
            worker.process.terminate()
        for worker in self.workers.values():
            worker.stop()
        self.flower.process.wait(PATIENCE_S)
        self.faulty.close()

    def celery(self, *command: str) -> str:
        """The output of `celery -A waproject …`."""
        arguments = [sys.executable, "-m", "celery", "-A", "waproject", *command]
        done = warm_python.run(arguments, env={**os.environ, **self.environment})
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def stack(sqs_server: Any, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    from django.db import connection

    setting = connection.settings_dict
    url = f"postgres://waproject:{setting['PASSWORD']}@127.0.0.1:{setting['PORT']}/{setting['NAME']}"
    environment = {"DATABASE_URL": url, "SQS_MONITOR_QUEUE_URL": BUS, "SQS_WAIT_TIME_S": "1"}
    running = Stack(tmp_path_factory.mktemp("flower"), environment)
    try:
        for worker in running.workers.values():
            worker.wait_ready()
        assert eventually(lambda: running.flower.online() == set(LANES)), running.flower.log
        yield running
    finally:
        running.close()


@pytest.fixture
def bus_queues(stack: Stack) -> Any:
    """A count of the bus's queues."""
    sqs = control.client("us-east-1")
    return lambda: sorted(map(queue_name, sqs.list_queues(QueueNamePrefix="test-monitor").get("QueueUrls", [])))


def track(data: object) -> str:
    """Have the analytics lane store an event with this data; its id."""
    event_id = str(uuid4())
    event = {"id": event_id, "event_type": "t", "data": data, "source": "api", "client_name": ""}
    publish(record_events, [{**event, "occurred_at": timezone.now().isoformat()}])
    return event_id


def shown(stack: Stack, state: str) -> dict[str, Any]:
    """A task that stores events, once Flower shows one in this state; other tasks may come by."""

    def found() -> list[dict[str, Any]]:
        tasks = stack.flower.tasks()
        return [task for task in tasks if (task["name"], task["state"]) == (record_events.name, state)]

    assert eventually(found), stack.flower.tasks()
    return found()[0]


def test_tasks_are_shown_with_state_and_times_but_without_arguments(stack: Stack) -> None:
    track({"phone": PRIVATE})
    task = shown(stack, "SUCCESS")
    assert task["worker"].partition("@")[0] == "analytics"
    assert task["received"] <= task["started"] <= task["succeeded"]
    assert PRIVATE not in stack.flower.page("/api/tasks") + stack.flower.page(f"/task/{task['uuid']}")


def test_a_task_that_fails_shows_its_errors_class_only(stack: Stack) -> None:
    publish(record_events, [{"id": PRIVATE, "data": PRIVATE}])
    task = shown(stack, "FAILURE")
    assert task["exception"].isidentifier()
    assert task["traceback"] is None
    control.client("us-east-1").purge_queue(QueueUrl=LANES["analytics"].url)


def test_a_workers_page_shows_pool_queues_tasks_and_settings_but_no_secret(stack: Stack) -> None:
    (name,) = [each for each in json.loads(stack.flower.page("/api/workers?refresh=1")) if each.startswith("incoming@")]
    page = stack.flower.page(f"/worker/{name}")
    assert all(word in page for word in ("Max concurrency", "messaging.receive", "worker_prefetch_multiplier"))
    for secret in ("test-access-token", "test-app-secret", "only-for-tests-", "test-password", "test-verify-token"):
        assert secret not in page


def test_the_broker_page_shows_the_lanes(stack: Stack) -> None:
    page = stack.flower.page("/broker")
    assert all(f"<td>{lane}</td>" in page for lane in LANES)


def test_inspect_ping_is_answered_by_every_worker_and_leaves_nothing(stack: Stack, bus_queues: Any) -> None:
    before = bus_queues()
    assert "3 nodes online" in stack.celery("inspect", "ping", "-t", "5")
    assert bus_queues() == before


def test_a_command_to_one_worker_is_answered_by_that_worker_only(stack: Stack) -> None:
    (name,) = [each for each in json.loads(stack.flower.page("/api/workers?refresh=1")) if each.startswith("outgoing@")]
    assert "1 node online" in stack.celery("inspect", "ping", "-d", name, "-t", "5")


@pytest.mark.parametrize("path", ["/", "/workers", "/tasks", "/metrics", "/api/tasks", "/api/workers"])
def test_no_page_is_shown_without_a_log_in(stack: Stack, path: str) -> None:
    assert (stack.flower.status(path, log_in=None), stack.flower.status(path, log_in="ops:x")) == (401, 401)
    stack.flower.page("/workers")  # a right log-in, after which the wrong ones are forgotten


def test_metrics_are_shown_with_a_log_in(stack: Stack) -> None:
    assert stack.flower.status("/metrics") == 200


@pytest.mark.parametrize("path", ["/api/task/async-apply/messaging.receive", "/api/worker/shutdown/incoming"])
def test_flower_changes_nothing_unless_it_is_allowed_to(stack: Stack, path: str) -> None:
    assert stack.flower.status(path, data=b"{}") == 403


@pytest.mark.parametrize("command", [("rate_limit", "messaging.send", "1/m"), ("cancel_consumer", "incoming")])
def test_a_command_that_would_stop_a_lane_is_refused(stack: Stack, command: tuple[str, ...]) -> None:
    assert stack.celery("control", "-t", "5", *command).count("not allowed here") == 3


def test_a_killed_worker_goes_offline_and_its_successor_uses_the_same_queue(stack: Stack, bus_queues: Any) -> None:
    before = bus_queues()
    os.killpg(stack.workers["outgoing"].process.pid, signal.SIGKILL)
    stack.workers["outgoing"].process.wait()
    assert eventually(lambda: "outgoing" not in stack.flower.online(), every=0.5)
    stack.workers["outgoing"] = stack.worker("outgoing").wait_ready()
    assert eventually(lambda: "outgoing" in stack.flower.online())
    assert bus_queues() == before


def test_a_killed_flower_leaves_no_additional_queue(stack: Stack, bus_queues: Any) -> None:
    before = bus_queues()
    stack.flower.process.kill()
    stack.flower.process.wait()
    stack.flower = Flower(stack.directory / "again.log", **stack.environment)
    assert eventually(lambda: stack.flower.online() == set(LANES)), stack.flower.log
    assert bus_queues() == before


def test_orphaned_queues_are_deleted(stack: Stack, bus_queues: Any, settings: Any) -> None:
    bus = Addresses(BUS)
    before = bus_queues()
    for url in (bus.node("incoming@a-container-of-yesterday"), bus.replies("123-abc")):
        queues.create(url, queues.COMMANDS_KEPT_S)
    living = {worker["hostname"] for worker in json.loads(stack.flower.page("/workers?json=1"))["data"]}
    assert queues.sweep(bus, living) == []  # too young: the owner may only be starting
    assert len(queues.sweep(bus, living, orphaned_after=-1)) == 2
    assert bus_queues() == before


@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.EXPIRED, Fault.CLOSED])
def test_tasks_run_while_the_bus_cannot_be_reached(fault: Fault, stack: Stack) -> None:
    worker, faulty = stack.workers["analytics"], stack.faulty
    faulty.set(fault)
    hits = faulty.hits
    ids = [track({}) for _ in range(5)]
    assert eventually(lambda: Event.objects.filter(pk__in=ids).count() == len(ids)), worker.log
    assert eventually(lambda: faulty.hits > hits)
    assert worker.is_alive()


@pytest.mark.parametrize(
    ("missing", "word"), [("FLOWER_BASIC_AUTH", "FLOWER_BASIC_AUTH"), ("SQS_MONITOR_QUEUE_URL", "docs/flower.md")]
)
def test_flower_refuses_to_start_without_a_log_in_or_a_bus(
    stack: Stack, missing: str, word: str, tmp_path: Path
) -> None:
    flower = Flower(tmp_path / "flower.log", **{**stack.environment, missing: ""})
    assert eventually(lambda: flower.process.poll() is not None)
    assert flower.process.returncode != 0
    assert word in flower.log
