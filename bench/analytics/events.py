"""Events of clients: from batches of the API to stored rows."""

import time
from typing import Any

from bench.errors import BenchError
from bench.pipeline.cost import Meter
from bench.pipeline.running import Pipeline
from testkit.load import http_load
from testkit.waiting import eventually

EVENTS = 60_000
# The largest list that the API takes.
BATCH = 1000
# As clients with a few connections send them.
CONNECTIONS = 4
STORED_S = 60.0


def measure(pipeline: Pipeline, events: int = EVENTS, batch: int = BATCH) -> dict[str, Any]:
    """`per_s`: from the first request to the last stored row. `worker_cpu_ms`: of the analytics worker, for one event.
    Raises BenchError for events that are not stored."""
    requests = [
        pipeline.api_request("/analytics/events", [_event(first + n) for n in range(batch)])
        for first in range(0, events, batch)
    ]
    http_load.run(pipeline.env["BASE_URL"], requests[:1], None).require(202)
    pipeline.wait_idle()
    before = _stored(pipeline)
    meter = Meter(pipeline)
    begun = time.monotonic()
    answers = http_load.run(pipeline.env["BASE_URL"], requests[1:], None, CONNECTIONS).require(202)
    answered_s = time.monotonic() - begun
    expected = batch * len(answers.statuses)
    if not eventually(lambda: _stored(pipeline) - before >= expected, STORED_S, 0.05):
        raise BenchError(f"{_stored(pipeline) - before} of {expected} events were stored within {STORED_S:.0f} s")
    per_s = expected / (time.monotonic() - begun)
    cost = meter.per_message(expected)
    return {
        **cost,
        "per_s": per_s,
        "accepted_per_s": expected / answered_s,
        "worker_cpu_ms": cost["cpu_ms_by_process"]["analytics"],
    }


def _event(n: int) -> dict[str, Any]:
    return {
        "event_type": "order_paid",
        "event_id": f"order-{n}-{time.time_ns()}",
        "event_data": {"order": n, "total": "12.50", "currency": "EUR", "items": ["book", "pen"]},
        "contact": f"+4915112{n % 1_000_000:06d}",
        "reference": f"order {n}",
    }


def _stored(pipeline: Pipeline) -> int:
    (found,) = pipeline.ask("SELECT count(*) FROM analytics_event")
    return int(found[0])
