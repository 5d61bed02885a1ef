"""Commands to workers and their answers, over the real SQS server."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from kombu.exceptions import OperationalError

from waproject.bus import control, messages, queues
from waproject.bus.addresses import Addresses
from waproject.bus.node import Node
from waproject.celery import app
from waproject.sqs.wire import SqsError, Unavailable

ONE, TWO, DEAF = "incoming@one", "outgoing@two", "analytics@deaf"
PONG = {"ok": "pong"}


@pytest.fixture
def nodes(bus: Addresses) -> Iterator[Addresses]:
    """Two workers that answer."""
    running = [
        Node(SimpleNamespace(app=app, hostname=name, hub=None, controller=SimpleNamespace(use_eventloop=False)), bus)
        for name in (ONE, TWO)
    ]
    for node in running:
        queues.create(bus.node(node._hostname), queues.COMMANDS_KEPT_S)
        node.start()
    yield bus
    for node in running:
        node._stopping.set()
    for node in running:
        node._thread.join()


def ask(**options: Any) -> list[dict[str, Any]] | None:
    return control.Control(app).broadcast("ping", reply=True, **{"timeout": 20.0, **options})


@pytest.mark.parametrize(
    ("destination", "names"), [(None, {ONE, TWO}), ([TWO], {TWO}), ([TWO, "no@such"], {TWO}), (["no@such"], set())]
)
def test_the_addressed_workers_answer_without_waiting_for_others(
    destination: list[str] | None, names: set[str], nodes: Addresses
) -> None:
    began = time.monotonic()
    answers = ask(destination=destination) or []
    assert {name: answer for each in answers for name, answer in each.items()} == dict.fromkeys(names, PONG)
    assert time.monotonic() - began < 20.0


def test_each_answer_is_passed_on_once(nodes: Addresses) -> None:
    passed: list[Any] = []
    assert ask(callback=passed.append) == passed
    assert len(passed) == 2


def test_no_more_answers_than_the_limit(nodes: Addresses) -> None:
    assert len(ask(limit=1) or []) == 1


def test_a_worker_that_does_not_answer_is_waited_for_until_the_timeout(bus: Addresses) -> None:
    queues.create(bus.node(DEAF), queues.COMMANDS_KEPT_S)
    began = time.monotonic()
    assert ask(timeout=0.5) == []
    assert time.monotonic() - began >= 0.5


@pytest.mark.parametrize(("timeout", "for_s"), [(1.0, 15.0), (None, 15.0), (60.0, 60.0)])
def test_a_command_carries_what_the_worker_needs(timeout: float | None, for_s: float, bus: Addresses) -> None:
    queues.create(bus.node(DEAF), queues.COMMANDS_KEPT_S)
    before = time.time()
    sent = control.Control(app).broadcast(
        "pool_grow", {"n": 1}, [DEAF], timeout=timeout, pattern="a*", matcher="glob", more=2
    )
    (message,) = messages.receive(bus.node(DEAF), 1)
    until = message.pop("until")
    assert sent is None
    assert message == {"command": "pool_grow", "arguments": {"n": 1, "more": 2}, "pattern": "a*", "matcher": "glob"}
    assert before + for_s <= until <= time.time() + for_s


def test_a_name_in_place_of_a_list_is_refused() -> None:
    with pytest.raises(TypeError, match="a list of node names, not 'one'"):
        control.Control(app).broadcast("ping", destination="one")


@pytest.mark.parametrize("error", [Unavailable("away"), SqsError("InvalidAddress")])
def test_a_failure_of_sqs_is_kombus_error(error: Exception, bus: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    def send(*_: Any) -> None:
        raise error

    monkeypatch.setattr(messages, "send", send)
    with pytest.raises(OperationalError, match="the monitor bus"):
        control.Control(app).broadcast("ping", destination=[ONE])


def test_a_command_to_nobody_is_forgotten(bus: Addresses) -> None:
    ask(destination=["no@such"])
    assert control._own[os.getpid()]._arrived == {}


def test_a_reply_queue_is_made_once_and_deleted_at_exit(bus: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[tuple[Any, ...]] = []
    monkeypatch.setattr("waproject.bus.control.atexit.register", lambda *given: kept.append(given))
    for _ in range(2):
        ask(destination=["no@such"])
    (name,) = queues.names(bus.replies_prefix)
    assert kept == [(queues.delete_quietly, bus.named(name))]
    assert str(os.getpid()) in name


def test_flowers_reply_queue_has_a_fixed_name(bus: Addresses) -> None:
    control.use_reply_queue("flower")
    assert ask(destination=["no@such"]) == []
    assert [bus.named(name) for name in queues.names(bus.replies_prefix)] == [bus.replies("flower")]


@pytest.fixture
def replies(bus: Addresses) -> control.Replies:
    """A reply queue."""
    queues.create(bus.replies("me"), queues.COMMANDS_KEPT_S)
    return control.Replies(bus.replies("me"), "me")


def arrive(bus: Addresses, *found: Any) -> None:
    for one in found:
        messages.send(bus.replies("me"), json.dumps(one))


def test_answers_to_other_tickets_and_odd_ones_are_dropped(bus: Addresses, replies: control.Replies) -> None:
    ticket = replies.expect()
    arrive(bus, "odd", [1], {"ticket": "another", "answer": 1}, {"ticket": ticket, "answer": 2})
    assert replies.collect(ticket, 1, 20.0, None) == [2]


def test_two_threads_get_the_answers_of_their_own_commands(bus: Addresses, replies: control.Replies) -> None:
    tickets = [replies.expect(), replies.expect()]
    found: dict[str, list[Any]] = {}

    def collect(ticket: str) -> Callable[[], None]:
        return lambda: found.update({ticket: replies.collect(ticket, 1, 20.0, None)})

    threads = [threading.Thread(target=collect(ticket)) for ticket in tickets]
    for thread in threads:
        thread.start()
    arrive(bus, *({"ticket": ticket, "answer": ticket} for ticket in tickets))
    for thread in threads:
        thread.join()
    assert found == {ticket: [ticket] for ticket in tickets}


def test_a_failed_receive_lets_another_thread_receive(
    replies: control.Replies, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = replies.expect()
    answers: list[Any] = [Unavailable("away"), [{"ticket": ticket, "answer": 3}]]
    asked: list[int] = []

    def receive(_: str, wait_time: int) -> Any:
        asked.append(wait_time)
        if isinstance(found := answers.pop(0), Exception):
            raise found
        return found

    monkeypatch.setattr(messages, "receive", receive)
    with pytest.raises(Unavailable):
        replies.collect(ticket, 1, 0.9, None)
    assert replies.collect(ticket, 1, 7.5, None) == [3]
    assert asked == [1, 7]
