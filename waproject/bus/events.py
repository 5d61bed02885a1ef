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
from waproject.bus.event_buffer import EventBuffer
from waproject.sqs.wire import MAX_BATCH_ENTRIES

# Flower counts a worker as offline after twice this time without a heartbeat.
HEARTBEAT_S = 20.0
# The pause between receives, so that one receive returns the batches of several workers.
LINGER_S = 0.25


class Dispatcher(EventDispatcher):
    """A worker's events, masked and batched."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._buffered = EventBuffer(_send)
        super().__init__(*args, **kwargs)
        self.buffer_group: frozenset[str] = frozenset()  # Celery would send its own buffer from the worker's event loop

    def _publish(self, event: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        kept = masking.event(event)
        if "freq" in kept:  # Celery's reply to `heartbeat` says 5 s, from which Flower derives the timeout
            kept["freq"] = HEARTBEAT_S
        self._buffered.put(kept)

    def close(self) -> None:
        """Send buffered events, for at most `CLOSE_TIMEOUT_S`."""
        super().close()
        self._buffered.close()
        self._buffered = EventBuffer(_send)


class Receiver(EventReceiver):
    """Receives each event once; two receivers would get a part of the events each."""

    def __init__(self, channel: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(None, *args, **kwargs)  # no broker channel is needed

    def capture(self, limit: int | None = None, timeout: float | None = None, wakeup: bool = True) -> None:
        """Call the handler of each event, until `limit` events or `timeout` seconds, if given."""
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
    """The valid events of a message, with the masked fields that `celery events --dump` prints."""
    events = body if isinstance(body, list) else []
    valid = [event for event in events if isinstance(event, dict) and {"type", "hostname"} <= event.keys()]
    return [masking.UNSENT | event if event["type"] == "task-received" else event for event in valid]
