"""Events are sent in batches, and an unavailable bus delays no task."""

import json
import threading
import time
from collections.abc import Callable

import pytest

from testkit.no_new_threads import no_new_threads
from tests.waiting import eventually
from waproject.bus.event_buffer import BATCH_BYTES, EventBuffer
from waproject.metrics import counters
from waproject.sqs.wire import Refused, Unavailable


class Wire:
    """Records what is sent; fails as configured."""

    def __init__(self, failing: Callable[[], Exception] | None = None) -> None:
        self.sent: list[str] = []
        self.tries = 0
        self.failing = failing

    def send(self, text: str) -> None:
        self.tries += 1
        if self.failing:
            raise self.failing()
        self.sent.append(text)

    @property
    def events(self) -> list[int]:
        return [event["n"] for text in self.sent for event in json.loads(text)]


def dropped() -> dict[str, float]:
    """The events dropped since the last look, by reason."""
    return {series[1]: by for series, by in counters.drain().items() if series[0] == counters.BUS_DROPPED.name}


@pytest.fixture(autouse=True)
def no_counts() -> None:
    counters.drain()


def test_events_put_at_the_same_time_share_a_batch_in_order() -> None:
    wire = Wire()
    buffer = EventBuffer(wire.send, linger=0.05)
    for n in range(100):
        buffer.put({"n": n})
    assert eventually(lambda: len(wire.events) == 100)
    assert (wire.events, len(wire.sent)) == (list(range(100)), 1)


def test_a_batch_stays_below_what_sqs_bills_as_one() -> None:
    wire = Wire()
    buffer = EventBuffer(wire.send, linger=0.05)
    for n in range(500):
        buffer.put({"n": n, "text": "x" * 1000})
    buffer.close()
    assert len(wire.events) == 500
    assert max(map(len, wire.sent)) < 64 * 1024
    assert min(map(len, wire.sent[:-1])) > BATCH_BYTES // 2


def test_buffered_events_are_sent_when_the_worker_stops() -> None:
    wire = Wire()
    buffer = EventBuffer(wire.send, linger=60)
    buffer.put({"n": 1})
    buffer.close()
    assert wire.events == [1]


def test_a_short_outage_loses_nothing() -> None:
    wire = Wire(lambda: Unavailable("away"))
    buffer = EventBuffer(wire.send, linger=0)
    buffer.put({"n": 1})
    assert eventually(lambda: wire.tries >= 2)
    buffer.put({"n": 2})
    wire.failing = None
    assert eventually(lambda: wire.events == [1, 2])


def test_a_long_outage_costs_events_and_neither_memory_nor_time() -> None:
    wire = Wire(lambda: Unavailable("away"))
    buffer = EventBuffer(wire.send, linger=0, capacity=10)
    began = time.process_time()
    for n in range(1000):
        buffer.put({"n": n})
    assert time.process_time() - began < 1
    assert dropped()["full"] >= 900
    buffer.close(0.1)


@pytest.mark.parametrize("error", [Refused("QueueDoesNotExist"), ValueError("of no kind that is known")])
def test_refused_events_are_dropped_and_counted(error: Exception) -> None:
    wire = Wire(lambda: error)
    buffer = EventBuffer(wire.send, linger=0)
    buffer.put({"n": 1})
    assert eventually(lambda: dropped() == {"refused": 1})
    wire.failing = None
    buffer.put({"n": 2})
    assert eventually(lambda: wire.events == [2])
    buffer.close()


def test_events_of_many_threads_all_arrive() -> None:
    wire = Wire()
    buffer = EventBuffer(wire.send, linger=0)

    def put(thread: int) -> None:
        for n in range(200):
            buffer.put({"n": 1000 * thread + n})

    threads = [threading.Thread(target=put, args=(t,)) for t in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    buffer.close()
    assert sorted(wire.events) == [1000 * t + n for t in range(4) for n in range(200)]


def test_an_event_that_is_no_json_is_dropped_alone() -> None:
    wire = Wire()
    buffer = EventBuffer(wire.send, linger=0.05)
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    for event in ({"n": 1}, {"n": deep}, {"n": 2}):
        buffer.put(event)
    buffer.close()
    assert (wire.events, dropped()) == ([1, 2], {"invalid": 1})


def test_an_event_put_while_the_system_gives_no_thread_is_sent_once_it_does() -> None:
    wire = Wire()
    buffer = EventBuffer(wire.send, linger=0.05)
    with no_new_threads():
        buffer.put({"n": 1})
    buffer.put({"n": 2})
    assert eventually(lambda: wire.events == [1, 2])


def test_a_worker_that_got_no_thread_for_its_events_stops() -> None:
    buffer = EventBuffer(Wire().send)
    with no_new_threads():
        buffer.put({"n": 1})
    buffer.close()
