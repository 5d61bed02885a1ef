"""Domain events, published to listeners after commit.

Services call `publish_events` inside the transaction that stores the rows. A listener gets all events of a transaction
in one call, after the commit and in the order of their publication; it finds the rows by primary key.

A listener misses the events of a process that is killed right after its commit. The outbox does not: it writes rows of
its own in the same transaction. The subscriptions have the only one.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from django.db import transaction

from messaging.media_states import State
from messaging.states import Status

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """An inbound message of a user who is not blocked was stored; not for echoes and history. `Message.pk`."""

    message_id: UUID


@dataclass(frozen=True, slots=True)
class MediaSettled:
    """The file of an inbound message was stored, or its download has failed for good; `Message.pk`."""

    message_id: UUID
    state: State


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """An outbound message changed its status; `Message.pk`, and the `MessageEvent.pk` with time and reason."""

    message_id: UUID
    status: Status
    event_id: int


@dataclass(frozen=True, slots=True)
class AccountEventStored:
    """Meta reported on the account, a number, a template or a contact; `models.AccountEvent.pk`."""

    event_id: int


DomainEvent = MessageReceived | MediaSettled | StatusChanged | AccountEventStored
Listener = Callable[[Sequence[DomainEvent]], None]


class Outbox(Protocol):
    """Writes rows about events, in the transaction of the events."""

    def wants(self) -> bool:
        """Whether there are readers. Called for every statement, so it answers from memory as a rule."""

    def write(self, items: Sequence[DomainEvent]) -> None:
        """Write the rows. Inside the transaction: an exception rolls everything back."""


_listeners: list[Listener] = []
_outboxes: list[Outbox] = []


def listen(listener: Listener) -> None:
    """Call this function with all events from now on. Idempotent."""
    if listener not in _listeners:
        _listeners.append(listener)


def stop_listening(listener: Listener) -> None:
    """Undo `listen`. Idempotent."""
    if listener in _listeners:
        _listeners.remove(listener)


def set_outbox(outbox: Outbox) -> None:
    """Write events to this outbox from now on, instead of the one before."""
    _outboxes[:] = [outbox]


def atomic_if_outbox() -> AbstractContextManager[object]:
    """A transaction where the outbox adds rows to a single statement; else none, which saves two commands."""
    return transaction.atomic(savepoint=False) if any(outbox.wants() for outbox in _outboxes) else nullcontext()


def publish_events(items: Sequence[DomainEvent]) -> None:
    """Write to the outbox now, and notify the listeners after the commit; a rollback drops both."""
    if not items:
        return
    for outbox in _outboxes:
        if outbox.wants():
            outbox.write(items)
    if _listeners:
        transaction.on_commit(lambda: _notify(items))


def _notify(items: Sequence[DomainEvent]) -> None:
    for listener in tuple(_listeners):
        try:
            listener(items)
        except Exception as error:
            # The error's text may quote a message; its type does not.
            logger.error(
                "listener %s failed: %s", getattr(listener, "__qualname__", type(listener)), type(error).__name__
            )
