"""Publication of domain events to listeners."""

from collections.abc import Iterator, Sequence

import pytest
from django.db import transaction

from messaging.lifecycle.domain_events import AccountEventStored, DomainEvent, listen, publish_events, stop_listening


class Listener:
    """Keeps the events it gets; raises an error if `fails`."""

    def __init__(self, *, fails: bool = False) -> None:
        self.received: list[DomainEvent] = []
        self.fails = fails

    def __call__(self, items: Sequence[DomainEvent]) -> None:
        self.received += items
        if self.fails:
            raise RuntimeError("quotes a message")


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A listener, registered during the test."""
    one = Listener()
    listen(one)
    yield one
    stop_listening(one)


@pytest.mark.django_db(transaction=True)
def test_a_listener_is_called_after_the_commit(listener: Listener) -> None:
    with transaction.atomic():
        publish_events([AccountEventStored(1)])
        before = list(listener.received)
    assert (before, listener.received) == ([], [AccountEventStored(1)])


@pytest.mark.django_db(transaction=True)
def test_events_of_a_rolled_back_transaction_are_not_published(listener: Listener) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        publish_events([AccountEventStored(1)])
        raise ZeroDivisionError
    assert listener.received == []


@pytest.mark.django_db(transaction=True)
def test_a_failing_listener_is_logged_without_its_text_and_does_not_affect_others(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    failing = Listener(fails=True)
    stop_listening(listener)
    listen(failing)
    listen(listener)
    publish_events([AccountEventStored(1)])
    stop_listening(failing)
    assert listener.received == [AccountEventStored(1)]
    assert "quotes a message" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_listener_registered_twice_is_called_once(listener: Listener) -> None:
    listen(listener)
    publish_events([AccountEventStored(1)])
    assert listener.received == [AccountEventStored(1)]
