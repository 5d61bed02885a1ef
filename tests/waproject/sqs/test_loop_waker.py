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


def test_a_loop_that_sleeps_calls_what_it_is_to_call(hub: Hub) -> None:
    calls: list[int] = []
    waker = Waker(hub, lambda: calls.append(threading.get_ident()))
    waker.listen()
    threading.Timer(0.05, waker.wake).start()
    hub.run_once()
    assert calls == [threading.get_ident()]


def test_more_wakes_than_a_pipe_holds_wait_for_nothing_and_become_few_calls(hub: Hub) -> None:
    calls: list[None] = []
    waker = Waker(hub, lambda: calls.append(None))
    waker.listen()
    for _ in range(70_000):
        waker.wake()
    hub.run_once()
    assert len(calls) == 1


def test_who_ignores_is_not_called_until_it_listens_again(hub: Hub) -> None:
    calls: list[None] = []
    waker, other = Waker(hub, lambda: calls.append(None)), Waker(hub, lambda: None)
    for one in (waker, other):
        one.listen()
        one.wake()
    waker.ignore()
    hub.run_once()
    assert not calls
    waker.listen()
    hub.run_once()
    assert len(calls) == 1
