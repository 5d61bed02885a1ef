"""Sends from the API request to the Cloud API's acceptance: one by one at 80 a second, and in bulk."""

import json
from typing import Any

from bench.errors import BenchError
from bench.pipeline.cost import Meter, statements
from bench.pipeline.running import Pipeline
from testkit.load import http_load
from testkit.load.api_clients import recipients
from testkit.load.http_load import Answers
from testkit.statistics import summary

PER_S = 80
SECONDS = 15
WARM_UP_S = 3
# Statements are counted in a load of their own: logging them costs PostgreSQL CPU.
COUNTED_S = 3
BULK = 50_000
BULK_COUNTED = 2_000
# The largest request that the API takes.
IN_ONE = 1_000
# Requests of a bulk at once, as one client with a few connections makes them.
BULK_CONNECTIONS = 2
BULK_S = 300


def measure(pipeline: Pipeline, seconds: float = SECONDS, warm_up_s: float = WARM_UP_S) -> dict[str, Any]:
    """One run at 80 a second. p50 and p99: from the moment a request was due to Meta's acceptance."""
    _send(pipeline, warm_up_s)
    pipeline.wait_idle()
    meter = Meter(pipeline)
    answers, entries = _send(pipeline, seconds)
    cost = meter.per_message(len(answers.bodies))
    latencies, per_s = _latencies(answers, entries)
    counted_s = min(seconds, COUNTED_S)
    return {
        **cost,
        **summary(latencies),
        "per_s": per_s,
        **statements(pipeline, int(counted_s * PER_S), lambda: _send(pipeline, counted_s)),
    }


def send_steadily(pipeline: Pipeline, seconds: float) -> tuple[list[float], float]:
    """80 sends a second: milliseconds from due to accepted by Meta, and how many Meta accepted a second."""
    return _latencies(*_send(pipeline, seconds))


def _latencies(answers: Answers, entries: list[dict[str, Any]]) -> tuple[list[float], float]:
    accepted_at = {entry["biz_opaque_callback_data"]: entry["accepted_at"] for entry in entries}
    ids = [json.loads(body)["id"] for body in answers.bodies]
    if missing := [name for name in ids if name not in accepted_at]:
        raise BenchError(f"{len(missing)} of {len(ids)} messages were not sent")
    times = sorted(accepted_at[name] for name in ids)
    latencies = [(accepted_at[name] - due) * 1000 for name, due in zip(ids, answers.due, strict=True)]
    return latencies, (len(ids) - 1) / (times[-1] - times[0])


def measure_bulk(pipeline: Pipeline, messages: int = BULK, counted: int = BULK_COUNTED) -> dict[str, Any]:
    """One bulk, as fast as the API takes it and the number's 1,000 a second let it go. `per_s`: accepted by Meta."""
    pipeline.wait_idle()
    meter = Meter(pipeline)
    entries = send_bulk(pipeline, messages)
    cost = meter.per_message(messages)
    times = sorted(entry["accepted_at"] for entry in entries)
    return {
        **cost,
        "messages": messages,
        "per_s": (messages - 1) / (times[-1] - times[0]),
        **statements(pipeline, counted, lambda: send_bulk(pipeline, counted)),
    }


def send_bulk(pipeline: Pipeline, count: int) -> list[dict[str, Any]]:
    """Send this many messages as fast as they go; their ledger entries."""
    before = pipeline.sandbox.count()
    bodies = [_body(to) for to in recipients(count)]
    bulks = [
        pipeline.api_request("/messaging/send/bulk", {"messages": bodies[first : first + IN_ONE]})
        for first in range(0, count, IN_ONE)
    ]
    http_load.run(pipeline.env["BASE_URL"], bulks, None, BULK_CONNECTIONS).require(202)
    return pipeline.accepted(before + count, BULK_S)[before:]


def _send(pipeline: Pipeline, seconds: float) -> tuple[Answers, list[dict[str, Any]]]:
    """80 sends a second until all are accepted; the API's answers and the ledger."""
    before = pipeline.sandbox.count()
    made = requests(pipeline, int(seconds * PER_S))
    answers = http_load.run(pipeline.env["BASE_URL"], made, PER_S).require(202)
    return answers, pipeline.accepted(before + len(made))


def requests(pipeline: Pipeline, count: int) -> list[bytes]:
    """So many sends, each to a recipient of its own."""
    return [pipeline.api_request("/messaging/send", _body(to)) for to in recipients(count)]


def _body(to: str) -> dict[str, Any]:
    text = "Your parcel arrives today between 2 and 4 pm."
    return {"phone_number": f"+{to}", "message_type": "text", "message_data": {"content": text}}
