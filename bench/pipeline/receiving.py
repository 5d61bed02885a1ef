"""Receiving through the whole pipeline: statuses one by one, a thousand in one webhook, messages of users."""

import time
from typing import Any

from bench.errors import BenchError
from bench.pipeline import sending
from bench.pipeline.cost import Meter, statements
from bench.pipeline.running import Pipeline
from testkit.load import http_load, webhook_load
from testkit.load.http_load import Answers
from testkit.statistics import summary
from testkit.waiting import eventually

STATUSES_PER_S = 240
STATUS_MESSAGES = 1000
STATUS_COUNTED = 100
INVOLVED = ("web", "incoming")
THOUSAND = 1000
THOUSANDS = 2
WEBHOOKS_PER_S = 300
WEBHOOKS_S = 60
WEBHOOKS_COUNTED_S = 10
STORED_S = 30
OK = 200


def measure_statuses(
    pipeline: Pipeline, messages: int = STATUS_MESSAGES, counted: int = STATUS_COUNTED
) -> dict[str, Any]:
    """240 status webhooks a second; a message of the figures is one webhook."""
    entries = sending.send_bulk(pipeline, messages + counted)
    pipeline.wait_idle()
    meter = Meter(pipeline)
    answers = post_statuses(pipeline, entries[:messages])
    cost = meter.per_message(len(answers.statuses))
    rest = entries[messages:]
    return {
        **cost,
        **{f"answer_{name}": value for name, value in summary(answers.milliseconds()).items()},
        **statements(pipeline, counted * len(webhook_load.STATUSES), lambda: post_statuses(pipeline, rest)),
    }


def measure_thousands(pipeline: Pipeline, rounds: int = THOUSANDS, size: int = THOUSAND) -> dict[str, Any]:
    """Webhooks with 1,000 statuses each, one after the other: the slowest answer, and the worst of what followed."""
    answered, stored, queries = [], [], []
    for _ in range(rounds):
        entries = sending.send_bulk(pipeline, size)
        for status in webhook_load.STATUSES:
            request = webhook_load.many_statuses(pipeline.env, entries, status)
            pipeline.wait_idle()
            with pipeline.statements.counted():
                begin = time.monotonic()
                answers = http_load.run(pipeline.env["BASE_URL"], [request], None).require(OK)
                _wait_for_statuses(pipeline, entries, status)
                stored.append(time.monotonic() - begin)
            answered += answers.milliseconds()
            counts = pipeline.statements.counts()
            queries.append(sum(counts[name] for name in INVOLVED))
    return {"answer_slowest_ms": max(answered), "stored_s": max(stored), "queries": max(queries)}


def measure_webhooks(
    pipeline: Pipeline, seconds: float = WEBHOOKS_S, counted_s: float = WEBHOOKS_COUNTED_S
) -> dict[str, Any]:
    """1 KB webhooks of users' messages at 300 a second; all must be stored at the end."""
    pipeline.wait_idle()
    requests = webhook_load.inbound(pipeline.env, int(seconds * WEBHOOKS_PER_S))
    counted = webhook_load.inbound(pipeline.env, int(counted_s * WEBHOOKS_PER_S))
    meter = Meter(pipeline)
    answers, behind = _post_inbound(pipeline, requests)
    cost = meter.per_message(len(requests))
    asked = statements(pipeline, len(counted), lambda: _post_inbound(pipeline, counted))
    web, counters = pipeline.statements.counts()["web"], pipeline.statements.counters_counts()["web"]
    return {
        **cost,
        **summary(answers.milliseconds()),
        "refused": sum(status != OK for status in answers.statuses),
        # Messages on their way when the last webhook was answered: more than a second's worth is falling behind.
        "behind": behind,
        **asked,
        # The statements of webhooks, and those of the two processes' counters.
        "web_queries": web - counters,
        "web_counter_queries": counters,
    }


def post_statuses(pipeline: Pipeline, entries: list[dict[str, Any]]) -> Answers:
    """Webhooks of all statuses of these messages at 240 a second, and wait until they are stored."""
    requests = webhook_load.statuses(pipeline.env, entries)
    answers = http_load.run(pipeline.env["BASE_URL"], requests, STATUSES_PER_S).require(OK)
    _wait_for_statuses(pipeline, entries, "read")
    return answers


def _post_inbound(pipeline: Pipeline, requests: list[bytes]) -> tuple[Answers, int]:
    """The answers, and how many messages were not stored yet when the last one came."""
    before = _received(pipeline)
    answers = http_load.run(pipeline.env["BASE_URL"], requests, WEBHOOKS_PER_S)
    behind = len(requests) - (_received(pipeline) - before)
    expected = sum(status == OK for status in answers.statuses)
    if not eventually(lambda: _received(pipeline) - before >= expected, STORED_S):
        raise BenchError(f"{expected - _received(pipeline) + before} messages were not stored")
    return answers, behind


def _wait_for_statuses(pipeline: Pipeline, entries: list[dict[str, Any]], status: str) -> None:
    """Wait until each of these messages has this status in its trail. Raises BenchError."""
    ids = [entry["biz_opaque_callback_data"] for entry in entries]
    statement = "SELECT count(*) FROM messaging_messageevent WHERE message_id = ANY(%s::uuid[]) AND status = %s"
    if not eventually(lambda: pipeline.ask(statement, ids, status)[0][0] >= len(ids), STORED_S, 0.05):
        raise BenchError(f"not all of {len(ids)} {status!r} were stored within {STORED_S} s")


def _received(pipeline: Pipeline) -> int:
    (found,) = pipeline.ask("SELECT count(*) FROM messaging_message WHERE direction = 'inbound'")
    return int(found[0])
