"""Receiving through the whole pipeline: statuses one by one, a thousand in one webhook, messages of users."""

import time
from typing import Any

from bench import load, sending, updates
from bench.load import Answers
from bench.pipeline import Pipeline
from bench.processes import BenchError, eventually
from bench.statistics import percentile

STATUSES_PER_S = 240
STATUS_MESSAGES = 1000
INVOLVED = ("web", "incoming")
THOUSAND = 1000
THOUSANDS = 2
WEBHOOKS_PER_S = 300
WEBHOOKS_S = 60
STORED_S = 30


def measure_statuses(pipeline: Pipeline, messages: int = STATUS_MESSAGES) -> dict[str, Any]:
    """240 status webhooks a second. CPU and statements: web and incoming worker; requests: all that SQS got."""
    entries = sending.send_bulk(pipeline, messages)
    requests = updates.statuses(pipeline.env, entries)
    pipeline.wait_idle()
    pipeline.server.zero()
    pipeline.statements.zero()
    cpu_s = pipeline.cpu_s()
    answers = load.run(pipeline.env["BASE_URL"], requests, STATUSES_PER_S).require(200)
    _wait_for_statuses(pipeline, entries, "read")
    used = {name: (after - cpu_s[name]) * 1000 / len(requests) for name, after in pipeline.cpu_s().items()}
    statements = pipeline.statements.counts()
    ordered = answers.ordered_ms()
    return {
        "cpu_ms": sum(used[name] for name in INVOLVED),
        "requests_per_message": pipeline.requests() / len(requests),
        "queries_per_message": sum(statements[name] for name in INVOLVED) / len(requests),
        "answer_p50_ms": percentile(ordered, 50),
        "answer_p99_ms": percentile(ordered, 99),
        "cpu_ms_by_process": used,
        "queries_by_process": {name: statements[name] / len(requests) for name in used},
    }


def measure_thousands(pipeline: Pipeline, rounds: int = THOUSANDS, size: int = THOUSAND) -> dict[str, Any]:
    """Webhooks with 1,000 statuses each, one after the other: the slowest answer, and the worst of what followed."""
    answered, stored, queries = [], [], []
    for _ in range(rounds):
        entries = sending.send_bulk(pipeline, size)
        for status in updates.AFTER:
            request = updates.many_statuses(pipeline.env, entries, status)
            pipeline.wait_idle()
            pipeline.statements.zero()
            begin = time.monotonic()
            answers = load.run(pipeline.env["BASE_URL"], [request], None).require(200)
            _wait_for_statuses(pipeline, entries, status)
            stored.append(time.monotonic() - begin)
            answered += answers.ordered_ms()
            counts = pipeline.statements.counts()
            queries.append(sum(counts[name] for name in INVOLVED))
    return {"answer_p99_ms": percentile(sorted(answered), 99), "stored_s": max(stored), "queries": max(queries)}


def measure_webhooks(pipeline: Pipeline, seconds: float = WEBHOOKS_S) -> dict[str, Any]:
    """1 KB webhooks of users' messages at 300 a second; all must be stored at the end."""
    before = _received(pipeline)
    requests = updates.inbound(pipeline.env, int(seconds * WEBHOOKS_PER_S))
    pipeline.statements.zero()
    cpu_s = pipeline.cpu_s()
    answers: Answers = load.run(pipeline.env["BASE_URL"], requests, WEBHOOKS_PER_S)
    behind = len(requests) - (_received(pipeline) - before)
    used = {name: (after - cpu_s[name]) * 1000 / len(requests) for name, after in pipeline.cpu_s().items()}
    refused = sum(status != 200 for status in answers.statuses)  # noqa: PLR2004
    if not eventually(lambda: _received(pipeline) - before >= len(requests) - refused, STORED_S):
        raise BenchError(f"{len(requests) - refused - _received(pipeline) + before} messages were not stored")
    ordered = answers.ordered_ms()
    web_queries, counters = pipeline.statements.counts()["web"], pipeline.statements.counters_counts()["web"]
    return {
        "p50_ms": percentile(ordered, 50),
        "p99_ms": percentile(ordered, 99),
        "refused": refused,
        # What webhooks asked, and what the two processes' counters did.
        "web_queries": web_queries - counters,
        "web_counter_queries": counters,
        # Messages on their way when the last webhook was answered: more than a second's worth is falling behind.
        "behind": behind,
        "cpu_ms_by_process": used,
    }


def _wait_for_statuses(pipeline: Pipeline, entries: list[dict[str, Any]], status: str) -> None:
    """Until each of these messages has this status in its trail. Raises BenchError."""
    ids = [entry["biz_opaque_callback_data"] for entry in entries]

    def stored() -> bool:
        (found,) = pipeline.execute(
            "SELECT count(*) FROM messaging_messageevent WHERE message_id = ANY(%s::uuid[]) AND status = %s",
            ids,
            status,
        )
        return bool(found[0] >= len(ids))

    if not eventually(stored, STORED_S):
        raise BenchError(f"not all of {len(ids)} {status!r} were stored within {STORED_S} s")


def _received(pipeline: Pipeline) -> int:
    (found,) = pipeline.execute("SELECT count(*) FROM messaging_message WHERE direction = 'inbound'")
    return int(found[0])
