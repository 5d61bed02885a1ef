"""Capacity of a worker task of 0.25 vCPU and 512 MB; the time that each process takes to end under load."""

import base64
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import cycle
from typing import Any
from urllib.request import Request, urlopen

from bench.errors import BenchError
from bench.pipeline import receiving, sending
from bench.pipeline.running import Pipeline
from testkit.cpu_limit import CpuLimit
from testkit.load import http_load, webhook_load
from testkit.processes import Process
from testkit.statistics import summary
from testkit.waiting import eventually

VCPU = 0.25
SECONDS = 20
SETTLE_S = 60
PAGE_S, PAUSE_S = 5.0, 0.05
MB = 1_000_000


def measure(pipeline: Pipeline, seconds: float = SECONDS) -> dict[str, Any]:
    """By lane: {per_s, p50_ms, …, peak_mb, cpu_share, cpu_ms, stopped_share} of its worker.

    At 80 sends or 240 statuses a second. cpu_share: of a core; cpu_ms: of CPU for one message; stopped_share: of the
    time for which the limit stopped it. A rate that is missed without that says something of the machine, not the task.
    """
    pipeline.wait_idle()
    return {"outgoing": _outgoing(pipeline, seconds), "incoming": _incoming(pipeline, seconds)}


def measure_stops(pipeline: Pipeline, lead_s: float = 1.0) -> dict[str, Any]:
    """Seconds from SIGTERM to the end of each process with sends and webhooks on their way: {slowest_s, by_process}.

    Flower, too, while a person's pages ask it for workers and tasks.
    """
    pipeline.wait_idle()
    by_process = {}
    for process in pipeline.processes:
        with _load(pipeline):
            by_process[process.name] = _stop(process, lead_s)
            process.start()
            process.wait_ready()
    with pipeline.flower() as flower, _load(pipeline), _pages(pipeline):
        by_process[flower.name] = _stop(flower, lead_s)
    return {"slowest_s": max(by_process.values()), "by_process": by_process}


def _stop(process: Process, lead_s: float) -> float:
    time.sleep(lead_s)
    begin = time.monotonic()
    if not process.stop():
        raise BenchError(f"{process.name} did not end with status 0 within {process.stop_s:.0f} s")
    return time.monotonic() - begin


def _outgoing(pipeline: Pipeline, seconds: float) -> dict[str, Any]:
    (worker,) = pipeline.group("outgoing")
    with CpuLimit(worker.pid, VCPU) as limit:
        begin = time.monotonic()
        latencies, per_s = sending.send_steadily(pipeline, seconds)
        return {**summary(latencies), "per_s": per_s, **_used(limit, time.monotonic() - begin, len(latencies))}


def _incoming(pipeline: Pipeline, seconds: float) -> dict[str, Any]:
    """Statuses of messages that are there: three a send, so 240 a second at 80 sends."""
    (worker,) = pipeline.group("incoming")
    entries = sending.send_bulk(pipeline, int(seconds * sending.PER_S))
    requests = webhook_load.statuses(pipeline.env, entries)
    before = _events(pipeline)
    with CpuLimit(worker.pid, VCPU) as limit:
        begin = time.monotonic()
        http_load.run(pipeline.env["BASE_URL"], requests, receiving.STATUSES_PER_S).require(200)
        if not eventually(lambda: _events(pipeline) - before >= len(requests), SETTLE_S):
            raise BenchError(f"{_events(pipeline) - before} of {len(requests)} statuses were stored")
        took = time.monotonic() - begin
        return {"per_s": len(requests) / took, **_used(limit, took, len(requests))}


def _events(pipeline: Pipeline) -> int:
    return int(pipeline.ask("SELECT count(*) FROM messaging_messageevent WHERE source = 'webhook'")[0][0])


def _used(limit: CpuLimit, seconds: float, messages: int) -> dict[str, float]:
    return {
        "peak_mb": limit.peak_bytes / MB,
        "cpu_share": limit.cpu_s / seconds,
        "cpu_ms": limit.cpu_s * 1000 / messages,
        "stopped_share": limit.stopped_s / seconds,
    }


@contextmanager
def _pages(pipeline: Pipeline) -> Iterator[None]:
    """Two persons who reload Flower's pages, until it no longer answers."""
    log_in = base64.b64encode(pipeline.env["FLOWER_BASIC_AUTH"].encode()).decode()
    end = threading.Event()

    def run() -> None:
        for path in cycle(("/api/workers?refresh=1", "/tasks", "/api/tasks?limit=100", "/broker")):
            if end.wait(PAUSE_S):
                return
            request = Request(pipeline.env["FLOWER_URL"] + path, headers={"Authorization": f"Basic {log_in}"})
            with suppress(OSError):
                urlopen(request, timeout=PAGE_S).close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        end.set()
        for thread in threads:
            thread.join()


@contextmanager
def _load(pipeline: Pipeline) -> Iterator[None]:
    """80 sends and 80 messages of users a second, whatever is answered, as long as the block lasts."""
    end = threading.Event()

    def run() -> None:
        while not end.is_set():
            sends = sending.requests(pipeline, sending.PER_S // 2)
            inbound = webhook_load.inbound(pipeline.env, sending.PER_S // 2)
            http_load.run(
                pipeline.env["BASE_URL"], [one for pair in zip(sends, inbound, strict=True) for one in pair], 160
            )

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
