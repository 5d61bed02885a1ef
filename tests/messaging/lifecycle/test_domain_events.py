"""Who hears of what happened, and when."""

from collections.abc import Iterator, Sequence

import pytest
from django.db import transaction

from messaging.lifecycle.domain_events import AccountEvent, Happening, happened, listen, stop_listening


class Listener:
    """Remembers what it heard; fails if told to."""

    def __init__(self, *, fails: bool = False) -> None:
        self.heard: list[Happening] = []
        self.fails = fails

    def __call__(self, items: Sequence[Happening]) -> None:
        self.heard += items
        if self.fails:
            raise RuntimeError("quotes a message")


@pytest.fixture
def listener() -> Iterator[Listener]:
    """One that listens during the test."""
    one = Listener()
    listen(one)
    yield one
    stop_listening(one)


@pytest.mark.django_db(transaction=True)
def test_a_listener_hears_after_the_commit(listener: Listener) -> None:
    with transaction.atomic():
        happened([AccountEvent(1)])
        before = list(listener.heard)
    assert (before, listener.heard) == ([], [AccountEvent(1)])


@pytest.mark.django_db(transaction=True)
def test_nobody_hears_of_what_was_rolled_back(listener: Listener) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        happened([AccountEvent(1)])
        raise ZeroDivisionError
    assert listener.heard == []


@pytest.mark.django_db(transaction=True)
def test_a_listener_that_fails_is_logged_without_its_words_and_harms_nobody(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    failing = Listener(fails=True)
    stop_listening(listener)
    listen(failing)
    listen(listener)
    happened([AccountEvent(1)])
    stop_listening(failing)
    assert listener.heard == [AccountEvent(1)]
    assert "quotes a message" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_who_registers_twice_hears_once(listener: Listener) -> None:
    listen(listener)
    happened([AccountEvent(1)])
    assert listener.heard == [AccountEvent(1)]
