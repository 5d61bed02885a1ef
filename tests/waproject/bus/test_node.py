"""A worker's side of the bus: the commands that it takes, and what it answers."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker import state as worker_state
from celery.worker.control import Panel
from kombu.asynchronous import Hub

from tests.waiting import PATIENCE_S, eventually
from waproject.bus import messages, node, queues
from waproject.bus.addresses import Addresses
from waproject.bus.node import Node, NodeStep
from waproject.celery import app
from waproject.sqs.wire import Unavailable

BUS = Addresses("https://sqs.test/1/bus")
NAME = "incoming@one"
FAR = 1e12


def consumer(hub: Any = None) -> Any:
    return SimpleNamespace(app=app, hostname=NAME, hub=hub, controller=SimpleNamespace(use_eventloop=hub is not None))


def order(command: str = "ping", **fields: Any) -> dict[str, Any]:
    return {"command": command, "arguments": {}, "until": FAR, "asker": "me", "ticket": "t", **fields}


class Worker:
    """A node that receives these orders, each in a batch of its own, then no more; `sent` are its answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, orders: Sequence[Any], hub: Any = None) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.listened: list[tuple[Any, ...]] = []

        def listen(*given: Any) -> Iterator[list[Any]]:
            self.listened.append(given)
            return iter([[one] for one in orders])

        monkeypatch.setattr(messages, "listen", listen)
        monkeypatch.setattr(messages, "send", lambda url, text: self.sent.append((url, json.loads(text))))
        self.node = Node(consumer(hub), BUS)

    def work(self) -> "Worker":
        self.node.start()
        self.node._thread.join(PATIENCE_S)
        return self

    @property
    def answers(self) -> list[Any]:
        return [text["answer"][NAME] for _, text in self.sent]


def answers(monkeypatch: pytest.MonkeyPatch, *orders: Any) -> list[Any]:
    return Worker(monkeypatch, orders).work().answers


def runs(monkeypatch: pytest.MonkeyPatch, command: str, work: Callable[..., Any]) -> None:
    monkeypatch.setitem(Panel.data, command, work)


def test_an_answer_goes_to_the_asker_with_its_ticket(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(monkeypatch, [order()]).work()
    assert worker.sent == [(BUS.replies("me"), {"ticket": "t", "answer": {NAME: {"ok": "pong"}}})]


def test_a_node_listens_on_the_queue_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(monkeypatch, []).work()
    assert worker.listened == [(BUS.node(NAME), queues.COMMANDS_KEPT_S, worker.node._stopping)]


@pytest.mark.parametrize(
    ("fields", "answered"),
    [
        ({"until": time.time() - 1}, False),
        ({"until": FAR}, True),
        ({"pattern": "incoming@*"}, True),
        ({"pattern": "outgoing@*"}, False),
        ({"pattern": "INCOMING@*"}, False),
        ({"pattern": "incoming@.*", "matcher": "pcre"}, True),
        ({"pattern": "outgoing|incoming", "matcher": "pcre"}, True),
        ({"pattern": "outgoing", "matcher": "pcre"}, False),
        ({"pattern": "incoming@.*", "matcher": "glob"}, False),
        ({"pattern": ""}, True),
        ({"arguments": None}, True),
        ({"asker": None}, False),
    ],
)
def test_a_command_is_answered_if_it_is_for_this_worker_and_in_time(
    fields: dict[str, Any], answered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bool(answers(monkeypatch, order(**fields))) is answered


@pytest.mark.parametrize("odd", [None, "ping", [], {}, {"until": "soon"}, {"command": "ping", "asker": "me"}])
def test_an_odd_message_does_not_stop_the_next_command(odd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answers(monkeypatch, odd, order()) == [{"ok": "pong"}]


@pytest.mark.parametrize("command", ["revoke", "terminate", "rate_limit", "cancel_consumer", "add_consumer", "no such"])
def test_a_command_that_could_lose_messages_is_not_run(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runs(monkeypatch, command, lambda *_, **__: pytest.fail("it ran"))
    assert answers(monkeypatch, order(command)) == [{"error": f"'{command}' is not allowed here: see docs/flower.md."}]


def test_a_command_gets_its_arguments_and_the_workers_state(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    runs(monkeypatch, "stats", lambda state, **arguments: given.append((state.hostname, state.app, arguments)))
    assert answers(monkeypatch, order("stats", arguments={"n": 1})) == [None]
    assert given == [(NAME, app, {"n": 1})]


def test_a_command_runs_without_an_asker_too(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Any] = []
    runs(monkeypatch, "pool_grow", lambda *_, **__: ran.append(1))
    assert (answers(monkeypatch, order("pool_grow", asker="")), ran) == ([], [1])


def test_a_command_that_fails_answers_its_errors_class_only(monkeypatch: pytest.MonkeyPatch) -> None:
    found = answers(monkeypatch, order("query_task", arguments={"phone": "15551230001"}), order())
    assert found == [{"error": "query_task failed: TypeError"}, {"ok": "pong"}]


def test_shutdown_ends_the_worker_as_sigterm_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_state, "should_stop", None)
    assert answers(monkeypatch, order("shutdown"), order()) == [None, {"ok": "pong"}]
    assert worker_state.should_stop == os.EX_OK


def test_an_asker_that_has_gone_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def send(url: str, _: str) -> None:
        tried.append(url)
        raise Unavailable("away")

    worker = Worker(monkeypatch, [order(), order(asker="other")])
    monkeypatch.setattr(messages, "send", send)
    worker.work()
    assert tried == [BUS.replies("me"), BUS.replies("other")]


def test_a_command_runs_in_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[int] = []
    runs(monkeypatch, "ping", lambda *_, **__: ran.append(threading.get_ident()))
    hub = Hub()
    worker = Worker(monkeypatch, [order(), order()], hub)
    worker.node.start()
    worker.node.start()  # after a reconnection
    assert eventually(lambda: hub.run_once() or len(worker.sent) == 2)
    worker.node.stop()
    assert (ran, hub.readers) == ([threading.get_ident()] * 2, {})


def test_a_hung_event_loop_gives_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "EXECUTION_TIMEOUT_S", 0.01)
    assert Worker(monkeypatch, [order()], Hub()).work().sent == []


@pytest.mark.parametrize("every", [0.0, 600.0])
def test_queues_without_an_owner_are_deleted_now_and_then(every: float, monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[Any] = []
    asked: list[float] = []

    def sweep(*given: Any) -> None:
        swept.append(given)
        raise RuntimeError

    def names(since: float) -> set[str]:
        asked.append(since)
        return {"outgoing@two"}

    monkeypatch.setattr(node, "SWEEP_EVERY_S", every)
    monkeypatch.setattr(queues, "sweep", sweep)
    monkeypatch.setattr("waproject.worker.liveness.names", names)
    assert answers(monkeypatch, order(), order()) == [{"ok": "pong"}] * 2
    assert swept == ([] if every else [(BUS, {NAME, "outgoing@two"})] * 2)
    assert asked == ([] if every else [300.0, 300.0])


def test_workers_take_turns_in_deleting(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        drawn.append((low, high))
        return 1.0

    monkeypatch.setattr("waproject.bus.node.random.uniform", uniform)
    Worker(monkeypatch, []).work()
    assert drawn == [(0.1, 1.0)]


@pytest.mark.parametrize(("url", "on"), [("", False), (BUS.events, True)])
def test_a_worker_has_a_node_if_there_is_a_bus(url: str, on: bool, settings: Any) -> None:
    settings.SQS_MONITOR_QUEUE_URL = url
    step = NodeStep(SimpleNamespace(), app=app)
    assert step.include_if(None) is on
    if on:
        assert step.create(consumer())._bus == BUS
