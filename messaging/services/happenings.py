"""What happened on the incoming side, told to whoever listens, once it is committed.

Services call `happened` inside the transaction that stores the rows. A listener gets all of one transaction's
happenings in a call, after the commit and in the order they were told; it finds their rows by primary key.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from messaging.states import Status

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A message of a user who is not blocked was stored, no echo and no history; `Message.pk`."""

    message_id: UUID


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """A message of ours moved to another state; `Message.pk`."""

    message_id: UUID
    status: Status


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """Meta told something of the account, a number, a template or a contact; `models.AccountEvent.pk`."""

    event_id: int


Happening = MessageReceived | StatusChanged | AccountEvent
Listener = Callable[[Sequence[Happening]], None]

_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Call this function with what happens from now on; a second registration of it changes nothing."""
    if listener not in _listeners:
        _listeners.append(listener)


def stop_listening(listener: Listener) -> None:
    """Undo `listen`; no error if it never listened."""
    if listener in _listeners:
        _listeners.remove(listener)


def happened(items: Sequence[Happening]) -> None:
    """Tell the listeners after the commit of the transaction around, never if that is rolled back."""
    if items and _listeners:
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
