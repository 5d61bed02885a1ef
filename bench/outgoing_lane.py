"""Bounds of the outgoing lane: priority, latency, pace, concurrency and statements of one outgoing worker.

`python -m bench.outgoing_lane` measures them in about five minutes and names those that do not hold; with one or more
of `backlog`, `steady`, `in_flight` and `template_pause` only those parts.
"""

import argparse
import json
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from bench.pipeline.statements import Statements
from bench.template_pause import template_pause
from testkit.load.api_clients import Client, recipients
from testkit.pipeline import Pipeline
from testkit.statistics import summary

WAITING = 5000
BULK = 1000
TRIES = 50
TRY_EVERY_S = 0.8
STEADY_PER_S = 80
STEADY_S = 60
COUNTED_S = 15
CLIENTS = 12
IN_FLIGHT = 500
SLOW_MS = 5000
# Meta's throughput of a number: messages in any second.
META_RATE = 80
SECOND_NUMBER = "106540352242923"
DRAIN_S = 180.0
# The last answers, and the recording of their outcomes.
OUTCOMES_S = 1.5
COPY_NUMBER = """
INSERT INTO messaging_businessnumber
SELECT (jsonb_populate_record(n, jsonb_build_object(
  'id', nextval(pg_get_serial_sequence('messaging_businessnumber', 'id')), 'phone_number_id', %s::text))).*
FROM messaging_businessnumber n WHERE phone_number_id = %s
"""

# Each figure's name, the bound, and whether the figure has to be at most it (else at least).
BOUNDS: tuple[tuple[str, float, bool], ...] = (
    ("urgent_slowest_ms", 1000, True),
    ("drain_per_s", 76, False),
    ("drain_throttled", 0, True),
    ("drain_over_limit", 0, True),
    ("latency_p50_ms", 150, True),
    ("latency_p99_ms", 400, True),
    ("calls_in_flight", 200, False),
    ("worker_queries_per_message", 0.5, True),
    ("worker_connections", 4, True),
    ("pause_held", 500, False),
    ("pause_last_release_ms", 2000, True),
    ("approval_first_send_ms", 2000, True),
    ("pause_doubled", 0, True),
)


def missed(figures: dict[str, float]) -> list[str]:
    """The measured figures that miss their bounds, as sentences."""
    return [
        f"{name} is {figures[name]:.2f}, and has to be {'at most' if at_most else 'at least'} {bound:g}"
        for name, bound, at_most in BOUNDS
        if name in figures and (figures[name] > bound if at_most else figures[name] < bound)
    ]


@contextmanager
def _running() -> Iterator[Pipeline]:
    """A pipeline with one outgoing worker."""
    settings = {"SANDBOX_OTHER_NUMBERS": SECOND_NUMBER, "LOG_LEVEL": "INFO"}
    with Pipeline({"web": 1, "dispatcher": 2, "outgoing": 1, "incoming": 1}, settings) as pipeline:
        yield pipeline


def _backlog(pipeline: Pipeline) -> dict[str, float]:
    """5,000 normal messages wait; urgent ones come now and then; all of it drains."""
    client = _client(pipeline)
    bulk = recipients(WAITING)
    for start in range(0, WAITING, BULK):
        client.send(bulk[start : start + BULK])
    urgent = recipients(TRIES)
    answered = {}
    for to in urgent:
        answered[to] = client.send([to], priority="high")
        time.sleep(TRY_EVERY_S)
    received = _received(pipeline, WAITING + TRIES)
    waits = summary((received[to] - answered[to]) * 1000 for to in urgent)
    times = sorted(received.values())
    throttled = pipeline.number("SELECT count(*) FROM messaging_attempt WHERE error_code = 130429")
    return {
        **{f"urgent_{name}": value for name, value in waits.items()},
        "drain_per_s": (len(times) - 1) / (times[-1] - times[0]),
        "drain_throttled": throttled,
        "drain_over_limit": over_limit(times),
    }


def over_limit(times: Sequence[float]) -> int:
    """How many requests, at these moments in order, Meta's limit would have refused, whatever the sandbox did."""
    taken: deque[float] = deque()
    refused = 0
    for at in times:
        while taken and taken[0] <= at - 1:
            taken.popleft()
        if len(taken) < META_RATE:
            taken.append(at)
        else:
            refused += 1
    return refused


def _steady(pipeline: Pipeline) -> dict[str, float]:
    """80 a second, on two numbers: from the API's 202 to the request at the Cloud API, and what that costs."""
    first = pipeline.env["WA_PHONE_NUMBER_ID"]
    pipeline.execute(COPY_NUMBER, [SECOND_NUMBER, first])
    numbers = (first, SECOND_NUMBER)
    _send_steadily(pipeline, numbers, 5)  # processes warm up
    most = _Peak(lambda: _worker_connections(pipeline))
    answered = _send_steadily(pipeline, numbers, STEADY_S)
    connections = most.end()
    received = _received(pipeline, STEADY_PER_S * (STEADY_S + 5))
    latencies = summary((received[to] - at) * 1000 for to, at in answered.items())
    return {
        **{f"latency_{name}": value for name, value in latencies.items()},
        "worker_connections": connections,
        "worker_queries_per_message": _worker_queries(pipeline, numbers),
    }


def _in_flight(pipeline: Pipeline) -> dict[str, float]:
    """Slow answers: the most calls that one worker process holds at once, as the sandbox sees them."""
    pipeline.sandbox.call("POST", "settings", {"answer_ms": [SLOW_MS, SLOW_MS]})
    _client(pipeline).send(recipients(IN_FLIGHT))
    _received(pipeline, IN_FLIGHT)
    begun = [(entry["received_at"], 1) for entry in pipeline.sandbox.ledger()]
    ended = [(entry["accepted_at"], -1) for entry in pipeline.sandbox.ledger()]
    open_calls = most = 0
    for _, change in sorted(begun + ended):
        open_calls += change
        most = max(most, open_calls)
    return {"calls_in_flight": most}


def _send_steadily(pipeline: Pipeline, numbers: tuple[str, str], seconds: int) -> dict[str, float]:
    """Send evenly, from the numbers in turn; when each recipient's send was answered 202."""
    to = recipients(STEADY_PER_S * seconds)
    answered: dict[str, float] = {}
    started = time.monotonic()

    def send(offset: int) -> None:
        client = _client(pipeline)
        for index in range(offset, len(to), CLIENTS):
            time.sleep(max(0.0, started + index / STEADY_PER_S - time.monotonic()))
            answered[to[index]] = client.send([to[index]], sender=numbers[index % 2])

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(send, range(CLIENTS)))
    return answered


def _worker_queries(pipeline: Pipeline, numbers: tuple[str, str]) -> float:
    """Statements of the worker for each message, at the same pace."""
    statements = Statements(pipeline.execute, pipeline.postgres.log_path)
    with statements.counted():
        _send_steadily(pipeline, numbers, COUNTED_S)
        time.sleep(OUTCOMES_S)
    return statements.counts()[pipeline.group("outgoing")[0].name] / (STEADY_PER_S * COUNTED_S)


def _worker_connections(pipeline: Pipeline) -> int:
    name = pipeline.group("outgoing")[0].name
    return pipeline.number("SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [name])


class _Peak:
    """The highest reading of something, taken twice a second until `end`."""

    def __init__(self, read: Callable[[], int]) -> None:
        self._read, self._most, self._ended = read, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> int:
        """The highest one."""
        self._ended.set()
        self._thread.join()
        return self._most

    def _watch(self) -> None:
        while not self._ended.wait(0.5):
            self._most = max(self._most, self._read())


def _client(pipeline: Pipeline) -> Client:
    return Client(pipeline.env["BASE_URL"], pipeline.env["API_KEY"])


def _received(pipeline: Pipeline, count: int) -> dict[str, float]:
    """When the sandbox got the request for each recipient, once this many are there. Raises NotReady."""
    return {entry["to"]: entry["received_at"] for entry in pipeline.sandbox.wait_for(count, DRAIN_S)}


PARTS: dict[str, Callable[[Pipeline], dict[str, float]]] = {
    "backlog": _backlog,
    "steady": _steady,
    "in_flight": _in_flight,
    "template_pause": template_pause,
}


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and fail where a bound does not hold."""
    parser = argparse.ArgumentParser(prog="python -m bench.outgoing_lane")
    parser.add_argument("part", nargs="*", help=f"what to measure, all without: {', '.join(PARTS)}")
    wanted = parser.parse_args(arguments).part or list(PARTS)
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    figures: dict[str, float] = {}
    for part in wanted:
        with _running() as pipeline:
            figures |= PARTS[part](pipeline)
    print(json.dumps(figures, indent=2))
    problems = missed(figures)
    print("\n".join(problems) or "every bound holds")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
