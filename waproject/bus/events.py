"""Celery's `app.events` over SQS: a dispatcher that never blocks, and Flower's receiver.

docs/internals.md lists the parts of Celery that it overrides.
"""

import threading
import time
from typing import Any

from celery.app import app_or_default
from celery.app.events import Events as CeleryEvents
from celery.events.dispatcher import EventDispatcher
from celery.events.receiver import EventReceiver

from waproject.bus import masking, messages, queues
from waproject.bus.outbox import Outbox
from waproject.sqs.wire import MAX_BATCH_ENTRIES

# A worker says that it lives so often; Flower takes it for gone after twice that.
HEARTBEAT_S = 20.0
# How long the receiver leaves the queue alone, so that it gets the batches of several workers together.
LINGER_S = 0.25


class Dispatcher(EventDispatcher):
    """A worker's events, masked and batched."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._outbox = Outbox(_send)
        super().__init__(*args, **kwargs)
        self.buffer_group: frozenset[str] = frozenset()  # Celery's own buffer is sent from the worker's event loop

    def _publish(self, event: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        kept = masking.event(event)
        if "freq" in kept:  # Celery's own answer to `heartbeat` promises one every 5 s, and Flower counts on it
            kept["freq"] = HEARTBEAT_S
        self._outbox.put(kept)

    def close(self) -> None:
        """Send what is left; at most some seconds."""
        super().close()
        self._outbox.close()
        self._outbox = Outbox(_send)


class Receiver(EventReceiver):
    """All events, each once: two receivers would share them."""

    def __init__(self, channel: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(None, *args, **kwargs)  # no channel: it needs none of the broker

    def capture(self, limit: int | None = None, timeout: float | None = None, wakeup: bool = True) -> None:
        """Hand each event to its handler. limit: events to take; timeout: seconds after which it ends; else never."""
        bus = queues.bus()
        if wakeup:
            app_or_default(self.app).control.broadcast("heartbeat")
        ends = None if timeout is None else time.monotonic() + timeout
        taken = 0
        for bodies in messages.listen(bus.events, queues.EVENTS_KEPT_S, threading.Event()):
            for event in (event for body in bodies for event in _events_in(body)):
                self.process(*self.event_from_message(event))
                taken += 1
            if (limit and taken >= limit) or (ends and time.monotonic() > ends):
                return
            if 0 < len(bodies) < MAX_BATCH_ENTRIES:
                time.sleep(LINGER_S)


class Events(CeleryEvents):
    """`app.events`."""

    dispatcher_cls = "waproject.bus.events:Dispatcher"
    receiver_cls = "waproject.bus.events:Receiver"


def _send(text: str) -> None:
    messages.send(queues.bus().events, text)


def _events_in(body: object) -> list[dict[str, Any]]:
    """The events of a message; what is none is left out."""
    events = body if isinstance(body, list) else []
    return [event for event in events if isinstance(event, dict) and {"type", "hostname"} <= event.keys()]
