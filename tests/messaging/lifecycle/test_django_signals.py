"""Each domain event becomes the Django signal that the documentation promises."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.dispatch import Signal

from messaging import signals
from messaging.lifecycle.django_signals import send_signals
from messaging.lifecycle.domain_events import (
    AccountEventStored,
    DomainEvent,
    MediaSettled,
    MessageReceived,
    StatusChanged,
)
from messaging.media_states import State
from messaging.models import AccountEvent, Message
from messaging.states import Status

ID = UUID(int=7)
NAMES = ("message_received", "message_media", "message_status_changed", "account_event")


@pytest.fixture
def sent() -> Iterator[list[tuple[str, type, dict[str, Any]]]]:
    """The signals as (name, sender, arguments)."""
    seen: list[tuple[str, type, dict[str, Any]]] = []
    receivers = {}
    for name in NAMES:

        def receive(sender: type, signal: Signal, name: str = name, **arguments: Any) -> None:
            seen.append((name, sender, arguments))

        receivers[name] = receive
        getattr(signals, name).connect(receive)
    yield seen
    for name, receiver in receivers.items():
        getattr(signals, name).disconnect(receiver)


@pytest.mark.parametrize(
    ("happening", "name", "sender", "arguments"),
    [
        (MessageReceived(ID), "message_received", Message, {"message_id": ID}),
        (MediaSettled(ID, State.STORED), "message_media", Message, {"message_id": ID, "state": State.STORED}),
        (
            StatusChanged(ID, Status.SENT, 5),
            "message_status_changed",
            Message,
            {"message_id": ID, "status": Status.SENT},
        ),
        (AccountEventStored(5), "account_event", AccountEvent, {"event_id": 5}),
    ],
)
def test_a_domain_event_is_sent_as_its_signal(
    sent: list[tuple[str, type, dict[str, Any]]],
    happening: DomainEvent,
    name: str,
    sender: type,
    arguments: dict[str, Any],
) -> None:
    send_signals([happening])
    assert sent == [(name, sender, arguments)]


def test_events_are_signalled_in_their_order(sent: list[tuple[str, type, dict[str, Any]]]) -> None:
    send_signals([AccountEventStored(1), MessageReceived(ID), AccountEventStored(2)])
    assert [name for name, _, _ in sent] == ["account_event", "message_received", "account_event"]
