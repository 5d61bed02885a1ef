"""The cost of counting messages: per message with its statuses, of one busy quarter, and for sends beside it."""

import os
import signal
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import psutil  # type: ignore[import-untyped]

from bench.analytics.filling import fill_quarter
from bench.errors import BenchError
from bench.pipeline import receiving, sending
from bench.pipeline.cost import Meter
from bench.pipeline.running import Pipeline
from testkit.load import http_load, webhook_load
from testkit.processes import CHECKOUT, python
from testkit.task_message import task_message
from testkit.waiting import eventually

MESSAGES = 20_000
BATCH = 1000
COUNTED_S = 300
# Beat sends a task every 15 s, and two of them read what is new: that is a minute of waiting. Ours come as soon as a
# second one reads more than the first (`sweep.SEEN_FOR`).
ROLL_UP, ROLL_UP_EVERY_S = "analytics.roll_up", 2.1
# A day's half in one quarter of an hour: 250,000 events of the trail.
QUARTER_MESSAGES = 76_000
# Long before all other messages.
QUARTER_AGE = timedelta(days=200)
ROUNDS = 4
# At least one sweep, every 15 s, lies within.
SEND_S = 20.0
STATUS_MESSAGES = 1000
_LEFT = """
SELECT EXISTS (SELECT FROM analytics_bucket WHERE dirty_since IS NOT NULL) OR EXISTS (
  SELECT FROM messaging_messageevent
  WHERE id > COALESCE((SELECT position FROM analytics_cursor WHERE name = 'rollups'), 0))
"""
# A quarter of an hour that was counted rests until it is twice as old, up to a quarter of an hour here.
_DUE = "UPDATE analytics_bucket SET due_at = now() WHERE dirty_since IS NOT NULL AND due_at > now()"


def measure(pipeline: Pipeline, messages: int = MESSAGES) -> dict[str, Any]:
    """From a bulk and its three statuses each until all is counted: `worker_cpu_ms` of the analytics worker for one
    message, and `postgres_cpu_ms` of PostgreSQL, from when all statuses are stored, for the counting alone."""
    wait_counted(pipeline)
    before = pipeline.cpu_s()["analytics"]
    entries = sending.send_bulk(pipeline, messages)
    for status in webhook_load.STATUSES:
        for first in range(0, messages, BATCH):
            part = entries[first : first + BATCH]
            request = webhook_load.many_statuses(pipeline.env, part, status)
            http_load.run(pipeline.env["BASE_URL"], [request], None).require(receiving.OK)
        pipeline.wait_idle()
    meter = Meter(pipeline)
    wait_counted(pipeline)
    cost = meter.per_message(messages)
    return {
        "messages": messages,
        "worker_cpu_ms": (pipeline.cpu_s()["analytics"] - before) * 1000 / messages,
        "postgres_cpu_ms": cost["postgres_cpu_ms"],
        "wal_bytes": cost["wal_bytes"],
    }


def wait_counted(pipeline: Pipeline) -> None:
    """Have the analytics worker read the trail and count what changed, whenever that is due, and wait until it has.
    Raises BenchError."""
    queue = pipeline.env["SQS_ANALYTICS_QUEUE_URL"]
    deadline = time.monotonic() + COUNTED_S
    while time.monotonic() < deadline:
        pipeline.execute(_DUE)
        pipeline.sqs.send(queue, task_message(ROLL_UP))
        if eventually(lambda: not pipeline.ask(_LEFT)[0][0], ROLL_UP_EVERY_S, 0.1):
            return
    raise BenchError(f"not everything was counted within {COUNTED_S} s")


def measure_quarter(pipeline: Pipeline, messages: int = QUARTER_MESSAGES) -> dict[str, Any]:
    """`counted_s`: a dirty quarter of an hour with `messages` messages, its views, its hour; `events` of its trail."""
    ((start,),) = pipeline.ask("SELECT date_trunc('day', now(), 'UTC') - %s", QUARTER_AGE)
    events = fill_quarter(pipeline.connect, start, messages)
    nothing = _rebuild(pipeline, start - timedelta(days=1))
    taken = [_rebuild(pipeline, start) - nothing for _ in range(3)]
    return {"messages": messages, "events": events, "counted_s": statistics.median(taken)}


def _rebuild(pipeline: Pipeline, start: datetime) -> float:
    begun = time.monotonic()
    period = ["--since", f"{start:%Y-%m-%dT%H:%M}", "--until", f"{start + timedelta(minutes=15):%Y-%m-%dT%H:%M}"]
    done = subprocess.run(
        python("manage.py", "rebuild_rollups", *period),
        env={**os.environ, **pipeline.env}, cwd=CHECKOUT, stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise BenchError(f"rebuild_rollups failed: {done.stderr.decode()[-500:]}")
    return time.monotonic() - begun


def measure_beside(
    pipeline: Pipeline, rounds: int = ROUNDS, seconds: float = SEND_S, messages: int = STATUS_MESSAGES
) -> dict[str, Any]:
    """Sends and status webhooks with the counting and, in turn, without: the analytics worker is stopped meanwhile.

    `send_cpu`, `send_p50`, `status_cpu` and `status_p50`: how many times as much with it. CPU is that of all other
    processes of ours. The medians of pairs.
    """
    ratios: dict[str, list[float]] = {}
    for n in range(rounds):
        with_it: dict[str, float] = {}
        without: dict[str, float] = {}
        for counting in (True, False) if n % 2 else (False, True):
            if counting:
                with_it = _loads(pipeline, seconds, messages)
            else:
                with _stopped(pipeline):
                    without = _loads(pipeline, seconds, messages)
        for name, value in with_it.items():
            ratios.setdefault(name, []).append(value / without[name])
    return {name: statistics.median(values) for name, values in ratios.items()}


def _loads(pipeline: Pipeline, seconds: float, messages: int) -> dict[str, float]:
    before = _others_cpu(pipeline)
    latencies, _ = sending.send_steadily(pipeline, seconds)
    sent = _others_cpu(pipeline)
    entries = sending.send_bulk(pipeline, messages)
    begun = _others_cpu(pipeline)
    answers = receiving.post_statuses(pipeline, entries)
    return {
        "send_cpu": sent - before,
        "send_p50": statistics.median(latencies),
        "status_cpu": _others_cpu(pipeline) - begun,
        "status_p50": statistics.median(answers.milliseconds()),
    }


def _others_cpu(pipeline: Pipeline) -> float:
    return sum(seconds for name, seconds in pipeline.cpu_s().items() if name not in {"analytics", "beat", "monitor"})


@contextmanager
def _stopped(pipeline: Pipeline) -> Iterator[None]:
    (worker,) = pipeline.group("analytics")
    root = psutil.Process(worker.pid)
    processes = [root, *root.children(recursive=True)]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)
