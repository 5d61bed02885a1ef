"""The transport: a worker's no-op tasks out of a backlog, the same with a slow SQS, and at a steady 80 a second."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.processes import START_S, VAR, BenchError, Measured, callers, eventually, python
from bench.sqs_server.process import SqsServer
from bench.statistics import percentile
from bench.task_message import task_message
from waproject.sqs.publisher import Outgoing, Publisher
from waproject.sqs.wire import Client

POOLS = {"prefork": (2, 10), "threads": (16, 2)}
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_DEFAULT_REGION": "us-east-1"}
# How many messages: enough for 10 ms ticks of CPU accounting, few enough for a slow one to end.
BACKLOG = {"ours": 6000, "stock": 3000}
BACKLOG_10MS = {"ours": 4000, "stock": 500}
STEADY_PER_S = 80
STEADY_S = 12.0
CASES = ("backlog", "backlog_10ms", "steady_80")
# Three long polls of 20 s and a little.
IDLE_S = 62.0
LEDGER = VAR / "ledger"
EDGE = 0.1  # the share of messages at both ends that is not measured: start and drain
DRAIN_S = 60


@dataclass(frozen=True, slots=True)
class Reading:
    """What was true at one moment."""

    at: float
    done: int
    cpu_s: float
    requests: int


def environment_of(kind: str, server: SqsServer) -> dict[str, str]:
    """What apps/worker.py reads, and nothing of ours: Celery would load Django where its settings are named."""
    return {
        **callers(),
        **CREDENTIALS,
        "AWS_ENDPOINT_URL_SQS": server.endpoint,
        "AWS_ENDPOINT_URL": server.endpoint,
        "BENCH_KIND": kind,
        "BENCH_QUEUE_URL": server.url("bench"),
        "BENCH_LEDGER": str(LEDGER.absolute()),
    }


def message(published: float) -> str:
    """A no-op task that knows when it was published."""
    return task_message("bench.noop", published)


class Run:
    """One worker of one kind, on a fresh server."""

    def __init__(self, kind: str, pool: str) -> None:
        self.kind, self.pool = kind, pool
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

    def worker(self, server: SqsServer) -> Measured:
        """Start it."""
        concurrency, multiplier = POOLS[self.pool]
        command = python(
            "-m", "celery", "-A", "bench.apps.worker", "worker", "-P", self.pool, "-c", str(concurrency),
            f"--prefetch-multiplier={multiplier}", "-l", "WARNING",
            "--without-gossip", "--without-mingle", "--without-heartbeat",
        )  # fmt: skip
        return Measured(f"worker-{self.kind}-{self.pool}", command, environment_of(self.kind, server))

    def _publish(self, server: SqsServer, count: int) -> None:
        errors = Publisher(_client(server), deadline=5.0).send_many(
            [Outgoing(server.url("bench"), message(0.0)) for _ in range(count)]
        )
        if any(errors):
            raise BenchError("the bench could not publish")

    def _done(self) -> int:
        """Lines have one length each: two times of 17 characters, a space and an end, but for a published 0.0."""
        return self.ledger.read_bytes().count(b"\n")

    def _reading_at(self, server: SqsServer, worker: Measured, done: int) -> Reading:
        if not eventually(lambda: self._done() >= done, DRAIN_S, every=0.01):
            raise BenchError(f"{self._done()} of {done} messages were done in {DRAIN_S} s: {worker.log}")
        return self._reading(server, worker)

    def _reading(self, server: SqsServer, worker: Measured) -> Reading:
        requests = server.counts()["requests"]
        consuming = sum(n for name, n in requests.items() if name.startswith(("Receive", "Delete")))
        return Reading(time.monotonic(), self._done(), worker.cpu_s(), consuming)

    def _latencies(self) -> dict[str, float]:
        pairs = [line.split() for line in self.ledger.read_text().splitlines()[STEADY_PER_S:]]
        milliseconds = sorted((float(begun) - float(published)) * 1000 for published, begun in pairs)
        return {"p50_ms": percentile(milliseconds, 50), "p99_ms": percentile(milliseconds, 99)}


def _figures(first: Reading, last: Reading) -> dict[str, float]:
    done = last.done - first.done
    return {
        "msg_per_s": done / (last.at - first.at),
        "cpu_ms": (last.cpu_s - first.cpu_s) * 1000 / done,
        "requests_per_message": (last.requests - first.requests) / done,
    }


def wait_for_receives(server: SqsServer) -> None:
    """Until a worker asks for messages. Raises BenchError."""
    if not eventually(lambda: server.counts()["requests"].get("ReceiveMessage", 0) > 0, START_S):
        raise BenchError("the worker never asked SQS for messages")


def _client(server: SqsServer) -> Client:
    os.environ.update(CREDENTIALS)
    return Client("us-east-1", server.endpoint)


def idle(seconds: float = IDLE_S) -> dict[str, float]:
    """Requests a minute of a worker that has nothing to do, our settings: 20 s long polls."""
    with SqsServer() as server:
        server.create_queue("bench", VisibilityTimeout="120")
        with Run("ours", "prefork").worker(server):
            wait_for_receives(server)
            server.zero()
            time.sleep(seconds)
            return {"requests_per_minute": sum(server.counts()["requests"].values()) * 60 / seconds}


def measure(share: float = 1.0, pools: Sequence[str] = tuple(POOLS), cases: Sequence[str] = CASES) -> dict[str, Any]:
    """One run: {kind: {case: {pool: figures}}}. Fewer pools and cases and a `share` of the messages: a quick look."""
    result: dict[str, Any] = {"ours": {}, "stock": {}}
    for pool in pools:
        for case in cases:
            for kind in ("stock", "ours"):
                result[kind].setdefault(case, {})[pool] = measure_one(kind, pool, case, share)
    return result


def measure_one(kind: str, pool: str, case: str, share: float = 1.0) -> dict[str, float]:
    """One worker of one kind on a fresh server: see Run."""
    with SqsServer() as server:
        server.create_queue("bench", VisibilityTimeout="120")
        run = Run(kind, pool)
        match case:
            case "steady_80":
                return run.steady(server, STEADY_S * share)
            case "backlog_10ms":
                server.set_latency(10)
                return run.backlog(server, int(BACKLOG_10MS[kind] * share))
            case _:
                return run.backlog(server, int(BACKLOG[kind] * share))
