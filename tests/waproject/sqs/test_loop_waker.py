"""A thread wakes the event loop that has something to do for it."""

import threading

import pytest
from kombu.asynchronous import Hub

from waproject.sqs.loop_waker import Waker


@pytest.fixture
def hub() -> Hub:
    """One with nothing else to do for a minute."""
    hub = Hub()
    hub.call_later(60, lambda: None)
    return hub


def test_a_sleeping_loop_calls_its_callback(hub: Hub) -> None:
    calls: list[int] = []
    waker = Waker(hub, lambda: calls.append(threading.get_ident()))
    waker.attach()
    threading.Timer(0.05, waker.wake).start()
    hub.run_once()
    assert calls == [threading.get_ident()]


def test_more_wakes_than_a_pipe_holds_do_not_block_and_cause_few_calls(hub: Hub) -> None:
    calls: list[None] = []
    waker = Waker(hub, lambda: calls.append(None))
    waker.attach()
    for _ in range(70_000):
        waker.wake()
    hub.run_once()
    assert len(calls) == 1


def test_a_detached_waker_is_not_called_until_it_is_attached_again(hub: Hub) -> None:
    calls: list[None] = []
    waker, other = Waker(hub, lambda: calls.append(None)), Waker(hub, lambda: None)
    for one in (waker, other):
        one.attach()
        one.wake()
    waker.detach()
    hub.run_once()
    assert not calls
    waker.attach()
    hub.run_once()
    assert len(calls) == 1
