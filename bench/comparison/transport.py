"""No-op tasks of one worker: out of a backlog, with a slow SQS, and at a steady 80 a second."""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from testkit.processes import READY_S, Process, inherited_environment, python
from testkit.sqs_server import SqsServer
from testkit.statistics import summary
from testkit.task_message import task_message
from testkit.waiting import eventually
from waproject.sqs.publisher import Outgoing, Publisher
from waproject.sqs.wire import Client

VAR = Path(os.environ.get("VAR_DIR", "var")).absolute() / "bench"

# What a worker is started with: processes or threads, and the messages that it prefetches for each; 0 is no limit.
Setup = tuple[int, int]

OURS: dict[str, Setup] = {"prefork": (2, 10), "threads": (16, 2)}
# Where stock's best set-up is searched for.
MULTIPLIERS = (2, 10, 50, 200, 0)
CONCURRENCIES = {"prefork": (1, 2, 4), "threads": (4, 16, 64)}
SEARCH_SHARE = 0.5
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_DEFAULT_REGION": "us-east-1"}
# How many messages: enough for 10 ms ticks of CPU accounting, few enough for a slow one to end.
BACKLOG = {"ours": 6000, "stock": 3000}
BACKLOG_10MS = {"ours": 4000, "stock": 500}
STEADY_PER_S = 80
# Enough for a p99.
STEADY_S = 13.0
CASES = ("backlog", "backlog_10ms", "steady_80")
# Three long polls of 20 s and a bit.
IDLE_S = 62.0
LEDGER = VAR / "ledger"
# The share of messages at both ends that is not measured, while the worker starts and while it runs dry.
EDGE = 0.1
DRAIN_S = 60


@dataclass(frozen=True, slots=True)
class Reading:
    """Totals at one moment."""

    at: float
    done: int
    cpu_s: float
    requests: int


def environment_of(kind: str, server: SqsServer) -> dict[str, str]:
    """The environment of apps/worker.py, without our settings: Celery would load Django where they are named."""
    return {
        **inherited_environment(),
        **CREDENTIALS,
        "AWS_ENDPOINT_URL_SQS": server.endpoint,
        "AWS_ENDPOINT_URL": server.endpoint,
        "BENCH_KIND": kind,
        "BENCH_QUEUE_URL": server.url("bench"),
        "BENCH_LEDGER": str(LEDGER),
    }


def message(published: float) -> str:
    """A no-op task that carries the time of its publication."""
    return task_message("bench.noop", published)


class Run:
    """One worker of one kind, on a fresh server."""

    def __init__(self, kind: str, pool: str, setup: Setup) -> None:
        self.kind, self.pool = kind, pool
        self.concurrency, self.multiplier = setup
        VAR.mkdir(parents=True, exist_ok=True)
        self.ledger = LEDGER
        self.ledger.write_bytes(b"")

    def backlog(self, server: SqsServer, count: int) -> dict[str, float]:
        """Drain `count` waiting messages."""
        self._publish(server, count)
        with self.worker(server) as worker:
            first = self._reading_at(server, worker, int(count * EDGE))
            last = self._reading_at(server, worker, int(count * (1 - EDGE)))
            if not eventually(lambda: self._done() >= count, DRAIN_S):
                raise BenchError(f"{count - self._done()} of {count} messages were not done")
            return _figures(first, last)

    def steady(self, server: SqsServer, seconds: float) -> dict[str, float]:
        """80 a second; the first second is not measured."""
        count = int(STEADY_PER_S * (seconds + 1))
        client = _client(server)
        with self.worker(server) as worker:
            wait_for_receives(server)
            begin = time.time()
            first = self._reading(server, worker)
            for n in range(count):
                time.sleep(max(0.0, begin + n / STEADY_PER_S - time.time()))
                if n == STEADY_PER_S:
                    first = self._reading(server, worker)
                client.call("SendMessage", {"QueueUrl": server.url("bench"), "MessageBody": message(time.time())}, 5.0)
            last = self._reading(server, worker)
            if not eventually(lambda: self._done() >= count, 30):
                raise BenchError("steady messages were not done")
            return _figures(first, last) | self._latencies()

    def worker(self, server: SqsServer) -> Process:
        """The worker, to be entered."""
        command = python(
            "-m", "celery", "-A", "bench.comparison.apps.worker", "worker",
            "-P", self.pool, "-c", str(self.concurrency), f"--prefetch-multiplier={self.multiplier}", "-l", "WARNING",
            "--without-gossip", "--without-mingle", "--without-heartbeat",
        )  # fmt: skip
        return Process(command, environment_of(self.kind, server), VAR / f"worker-{self.kind}-{self.pool}.log")

    def _publish(self, server: SqsServer, count: int) -> None:
        errors = Publisher(_client(server), deadline=5.0).send_many(
            [Outgoing(server.url("bench"), message(0.0)) for _ in range(count)]
        )
        if any(errors):
            raise BenchError("the bench could not publish")

    def _done(self) -> int:
        """A task is a line."""
        return self.ledger.read_bytes().count(b"\n")

    def _reading_at(self, server: SqsServer, worker: Process, done: int) -> Reading:
        if not eventually(lambda: self._done() >= done, DRAIN_S, every=0.01):
            raise BenchError(f"{self._done()} of {done} messages were done in {DRAIN_S} s: {worker.log_path}")
        return self._reading(server, worker)

    def _reading(self, server: SqsServer, worker: Process) -> Reading:
        requests = server.counts()["requests"]
        consuming = sum(n for name, n in requests.items() if name.startswith(("Receive", "Delete")))
        return Reading(time.monotonic(), self._done(), worker.cpu_s(), consuming)

    def _latencies(self) -> dict[str, float]:
        pairs = [line.split() for line in self.ledger.read_text().splitlines()[STEADY_PER_S:]]
        return summary((float(begun) - float(published)) * 1000 for published, begun in pairs)


def _figures(first: Reading, last: Reading) -> dict[str, float]:
    done = last.done - first.done
    return {
        "msg_per_s": done / (last.at - first.at),
        "cpu_ms": (last.cpu_s - first.cpu_s) * 1000 / done,
        "requests_per_message": (last.requests - first.requests) / done,
    }


def wait_for_receives(server: SqsServer) -> None:
    """Wait until a worker asks for messages. Raises BenchError."""
    if not eventually(lambda: server.counts()["requests"].get("ReceiveMessage", 0) > 0, READY_S):
        raise BenchError("the worker never asked SQS for messages")


def _client(server: SqsServer) -> Client:
    os.environ.update(CREDENTIALS)
    return Client("us-east-1", server.endpoint)


def idle(seconds: float = IDLE_S) -> dict[str, float]:
    """Requests a minute of our worker with nothing to do, at long polls of 20 s."""
    with SqsServer() as server:
        server.create_queue("bench", VisibilityTimeout="120")
        with Run("ours", "prefork", OURS["prefork"]).worker(server):
            wait_for_receives(server)
            server.zero()
            time.sleep(seconds)
            return {"requests_per_minute": sum(server.counts()["requests"].values()) * 60 / seconds}


def measure(
    share: float = 1.0,
    pools: Sequence[str] = tuple(OURS),
    cases: Sequence[str] = CASES,
    multipliers: tuple[int, ...] = MULTIPLIERS,
) -> dict[str, Any]:
    """One run: {kind: {case: {pool: figures}}}. Fewer pools, cases, multipliers and messages: a quick look.

    Stock runs with the set-up that is fastest for it in each case, searched for once in the process.
    """
    result: dict[str, Any] = {"stock": {}, "ours": {}}
    for pool in pools:
        for case in cases:
            best = fastest_setup(pool, case, multipliers, share)
            for kind, setup in (("stock", best), ("ours", OURS[pool])):
                result[kind].setdefault(case, {})[pool] = measure_one(kind, pool, case, setup, share)
    return result


@cache
def fastest_setup(pool: str, case: str, multipliers: tuple[int, ...], share: float) -> Setup:
    """The set-up with which stock is fastest.

    All prefetch multipliers are tried at our concurrency, then all concurrencies at the best of them.
    """
    tried: dict[Setup, dict[str, float]] = {}
    ours, _ = OURS[pool]
    for multiplier in multipliers:
        tried[ours, multiplier] = _tried(pool, case, (ours, multiplier), share)
    _, best = fastest(case, tried)
    for concurrency in CONCURRENCIES[pool]:
        if concurrency != ours:
            tried[concurrency, best] = _tried(pool, case, (concurrency, best), share)
    return fastest(case, tried)


def fastest(case: str, tried: Mapping[Setup, Mapping[str, float]]) -> Setup:
    """The set-up with the most messages a second; at a steady 80/s, which all keep up with, the one with the shortest
    delay."""
    if case == "steady_80":
        return min(tried, key=lambda setup: tried[setup]["p50_ms"])
    return max(tried, key=lambda setup: tried[setup]["msg_per_s"])


def _tried(pool: str, case: str, setup: Setup, share: float) -> dict[str, float]:
    figures = measure_one("stock", pool, case, setup, share * SEARCH_SHARE)
    shown = ", ".join(f"{name} {value:.2f}" for name, value in figures.items())
    print(f"stock, {pool}, {case}: {shown}", file=sys.stderr, flush=True)
    return figures


def measure_one(kind: str, pool: str, case: str, setup: Setup, share: float = 1.0) -> dict[str, float]:
    """One worker of one kind on a fresh server: see Run."""
    with SqsServer() as server:
        server.create_queue("bench", VisibilityTimeout="120")
        run = Run(kind, pool, setup)
        match case:
            case "steady_80":
                figures = run.steady(server, STEADY_S * share)
            case "backlog_10ms":
                server.set_latency(10)
                figures = run.backlog(server, int(BACKLOG_10MS[kind] * share))
            case _:
                figures = run.backlog(server, int(BACKLOG[kind] * share))
    concurrency, multiplier = setup
    return figures | {"concurrency": concurrency, "prefetch_multiplier": multiplier}
