"""A send, from the API request to the Cloud API's acceptance, at 80 a second through the whole pipeline."""

import json
from typing import Any

from bench import load
from bench.pipeline import Pipeline
from bench.processes import BenchError
from bench.statistics import percentile

PER_S = 80
SECONDS = 15
WARM_UP_S = 3
# Statuses of what is sent here are Meta's to report later; they are measured on their own (statuses.py).
INVOLVED = ("web", "dispatcher", "outgoing")


def measure(pipeline: Pipeline, seconds: float = SECONDS, warm_up_s: float = WARM_UP_S) -> dict[str, Any]:
    """One run. CPU and statements: web, dispatcher and outgoing worker; requests: all that SQS got meanwhile."""
    before = len(pipeline.ledger())
    warm_up = _requests(pipeline, before, int(warm_up_s * PER_S))
    load.run(pipeline.env["BASE_URL"], warm_up, PER_S).require(202)
    count = int(seconds * PER_S)
    requests = _requests(pipeline, before + len(warm_up), count)
    pipeline.accepted(before + len(warm_up))
    pipeline.server.zero()
    pipeline.statements.zero()
    cpu_s = pipeline.cpu_s()
    answers = load.run(pipeline.env["BASE_URL"], requests, PER_S).require(202)
    entries = pipeline.accepted(before + len(warm_up) + count)
    used = {name: (after - cpu_s[name]) * 1000 / count for name, after in pipeline.cpu_s().items()}
    statements = pipeline.statements.counts()
    requested = pipeline.requests()
    accepted_at = {entry["biz_opaque_callback_data"]: entry["accepted_at"] for entry in entries}
    ids = [json.loads(body)["id"] for body in answers.bodies]
    if missing := [name for name in ids if name not in accepted_at]:
        raise BenchError(f"{len(missing)} of {count} messages were not sent")
    times = sorted(accepted_at[name] for name in ids)
    latencies = sorted((accepted_at[name] - due) * 1000 for name, due in zip(ids, answers.due, strict=True))
    return {
        "cpu_ms": sum(used[name] for name in INVOLVED),
        "requests_per_message": requested / count,
        "queries_per_message": sum(statements[name] for name in INVOLVED) / count,
        "p50_ms": percentile(latencies, 50),
        "p99_ms": percentile(latencies, 99),
        "per_s": (count - 1) / (times[-1] - times[0]),
        "cpu_ms_by_process": used,
        "queries_by_process": {name: statements[name] / count for name in used},
    }


def _requests(pipeline: Pipeline, first: int, count: int) -> list[bytes]:
    return [
        pipeline.api_request(
            "/messaging/send",
            {
                "phone_number": f"+1555{first + n:07}",
                "message_type": "text",
                "message_data": {"content": "Your parcel arrives today between 2 and 4 pm."},
            },
        )
        for n in range(count)
    ]


def send_bulk(pipeline: Pipeline, count: int) -> list[dict[str, Any]]:
    """Have this many messages sent as fast as they go, not measured; their ledger entries."""
    before = len(pipeline.ledger())
    bodies = [
        {"phone_number": f"+1556{before + n:07}", "message_type": "text", "message_data": {"content": "Hello"}}
        for n in range(count)
    ]
    request = pipeline.api_request("/messaging/send/bulk", {"messages": bodies})
    load.run(pipeline.env["BASE_URL"], [request], None).require(202)
    return pipeline.accepted(before + count)[before:]
