"""The scenarios of the outgoing lane: what they count, and that they leave nothing behind."""

import asyncio
import subprocess
import sys

import pytest

from bench.sending_figures import over_limit
from chaos.guard import Guard
from chaos.sending.sqs_server import FaultyQueues
from chaos.sending.witness import compare
from tests.processes import eventually


@pytest.mark.parametrize(
    ("sends", "rows", "counted"),
    [
        ({"1": 1}, {"1": "read"}, (0, 0, 0)),
        ({}, {"1": "accepted"}, (1, 0, 0)),
        ({}, {}, (1, 0, 0)),
        ({"1": 1}, {"1": "failed"}, (1, 0, 0)),
        ({"1": 2}, {"1": "read"}, (0, 1, 0)),
        ({"1": 1}, {"1": "unknown"}, (0, 0, 1)),
        ({}, {"1": "pending"}, (0, 0, 1)),
        ({"1": 1, "2": 1}, {"1": "read", "2": "read"}, (0, 0, 0)),
    ],
)
def test_what_counts_as_lost_doubled_and_unsettled(
    sends: dict[str, int], rows: dict[str, str], counted: tuple[int, int, int]
) -> None:
    assert compare({"1"}, sends, rows) == counted


def test_a_process_does_not_outlive_the_run_that_started_it() -> None:
    guard = Guard()
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    guard.watch(process.pid)
    guard.end()
    assert eventually(lambda: process.poll() == -9)


def test_the_guard_leaves_alone_what_has_ended() -> None:
    guard = Guard()
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    guard.watch(process.pid)
    guard.forget(process.pid)
    guard.end()
    assert process.poll() is None
    process.communicate(b"\n")


def _counts(**faults: object) -> dict[str, int]:
    async def send() -> dict[str, int]:
        queues = FaultyQueues()
        for name, value in faults.items():
            setattr(queues, name, value)
        queue = queues.create("waproject-outgoing", {})
        queue.send("task", None)
        return queue.counts()

    return asyncio.run(send())


def test_sqs_loses_what_it_is_told_to_lose() -> None:
    assert _counts(loses="outgoing")["waiting"] == 0


def test_sqs_delivers_twice_what_it_is_told_to_double() -> None:
    assert _counts(doubles=True)["waiting"] == 2


@pytest.mark.parametrize(("times", "refused"), [([0.0] * 80, 0), ([0.0] * 82, 2), ([n / 80 for n in range(800)], 0)])
def test_what_metas_limit_would_have_refused(times: list[float], refused: int) -> None:
    assert over_limit(times) == refused
