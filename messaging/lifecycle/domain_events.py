"""Domain events, published to listeners after commit.

Services call `happened` inside the transaction that stores the rows. A listener gets all of one transaction's
happenings in a call, after the commit and in the order they were told; it finds their rows by primary key.

A listener misses what a process did that was killed after its commit. A writer does not: it writes rows of its own in
the same transaction. There is one, the outbox of the subscriptions.
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
    """A message of a user who is not blocked was stored, no echo and no history; `Message.pk`."""

    message_id: UUID


@dataclass(frozen=True, slots=True)
class MediaSettled:
    """The file of such a message was stored, or its download has failed; `Message.pk`."""

    message_id: UUID
    state: State


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """A message of ours moved to another state; `Message.pk`, and the `MessageEvent.pk` that says when and why."""

    message_id: UUID
    status: Status
    event_id: int


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """Meta told something of the account, a number, a template or a contact; `models.AccountEvent.pk`."""

    event_id: int


Happening = MessageReceived | MediaSettled | StatusChanged | AccountEvent
Listener = Callable[[Sequence[Happening]], None]


class Writer(Protocol):
    """Writes rows about what happened, in the transaction of what happened."""

    def wants(self) -> bool:
        """Whether anybody would read them. Asked at every statement: the answer has to be at hand."""

    def write(self, items: Sequence[Happening]) -> None:
        """Inside the transaction; what it raises undoes everything."""


_listeners: list[Listener] = []
_writers: list[Writer] = []


def listen(listener: Listener) -> None:
    """Call this function with what happens from now on; a second registration of it changes nothing."""
    if listener not in _listeners:
        _listeners.append(listener)


def stop_listening(listener: Listener) -> None:
    """Undo `listen`; no error if it never listened."""
    if listener in _listeners:
        _listeners.remove(listener)


def write_with(writer: Writer) -> None:
    """Let this one write from now on; it takes the place of the one before."""
    _writers[:] = [writer]


def one_transaction() -> AbstractContextManager[object]:
    """For a single statement, which needs no transaction unless a writer adds rows to it: two commands saved."""
    return transaction.atomic(savepoint=False) if any(writer.wants() for writer in _writers) else nullcontext()


def happened(items: Sequence[Happening]) -> None:
    """Write now, and tell the listeners after the commit of the transaction around, never if that is rolled back."""
    if not items:
        return
    for writer in _writers:
        if writer.wants():
            writer.write(items)
    if _listeners:
        transaction.on_commit(lambda: _tell(items))


def _tell(items: Sequence[Happening]) -> None:
    for listener in tuple(_listeners):
        try:
            listener(items)
        except Exception as error:
            # Its words may quote a message; its type does not.
            logger.error(
                "listener %s failed: %s", getattr(listener, "__qualname__", type(listener)), type(error).__name__
            )
