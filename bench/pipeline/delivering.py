"""Deliveries to a subscriber, from the webhook of a user's message to the subscriber's endpoint."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.errors import BenchError
from bench.pipeline.cost import Meter, statements
from bench.pipeline.running import Pipeline
from testkit.load import http_load, webhook_load
from testkit.ports import free_ports
from testkit.processes import Process, inherited_environment, python
from testkit.statistics import summary
from testkit.waiting import eventually

PER_S = 80
SECONDS = 15
COUNTED_S = 3
DELIVERED_S = 30
PATH = "/messaging/subscriptions"


def measure(pipeline: Pipeline, seconds: float = SECONDS) -> dict[str, Any]:
    """80 messages of users a second, each delivered to one subscriber. p50 and p99: from when its webhook was due."""
    with subscriber(pipeline) as url:
        pipeline.wait_idle()
        meter = Meter(pipeline)
        latencies = deliver(pipeline, url, seconds)
        cost = meter.per_message(len(latencies))
        counted_s = min(seconds, COUNTED_S)
        counted = statements(pipeline, int(counted_s * PER_S), lambda: deliver(pipeline, url, counted_s))
    return {**cost, **summary(latencies), **counted}


@contextmanager
def subscriber(pipeline: Pipeline) -> Iterator[str]:
    """The address of a subscriber to messages of users."""
    port = free_ports(["subscriber"])["subscriber"]
    command = python("-m", "bench.pipeline.subscriber", str(port))
    log = pipeline.directory / "subscriber.log"
    url = f"http://127.0.0.1:{port}/"
    with Process(command, inherited_environment(), log, lambda text: "listening" in text):
        subscription = _subscribe(pipeline, url)
        yield url
        _request(pipeline, f"{PATH}/{subscription}", None, "DELETE", 204)


def deliver(pipeline: Pipeline, url: str, seconds: float) -> list[float]:
    """Milliseconds from when each webhook was due to its delivery. Raises BenchError."""
    made = webhook_load.inbound_with_wamids(pipeline.env, int(seconds * PER_S))
    answers = http_load.run(pipeline.env["BASE_URL"], [request for request, _ in made], PER_S).require(200)
    due = {wamid: at for (_, wamid), at in zip(made, answers.due, strict=True)}
    if not eventually(lambda: due.keys() <= _arrived(url).keys(), DELIVERED_S):
        raise BenchError(f"{len(due.keys() - _arrived(url).keys())} of {len(due)} messages were not delivered")
    arrived = _arrived(url)
    return [(arrived[wamid] - at) * 1000 for wamid, at in due.items()]


def _arrived(url: str) -> dict[str, float]:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return dict(json.load(answer))


def _subscribe(pipeline: Pipeline, url: str) -> str:
    body = {"url": url, "events": ["message.received"]}
    return str(json.loads(_request(pipeline, PATH, body, "POST", 201))["id"])


def _request(pipeline: Pipeline, path: str, body: object, method: str, status: int) -> bytes:
    request = pipeline.api_request(path, body, method)
    return http_load.run(pipeline.env["BASE_URL"], [request], None).require(status).bodies[0]
