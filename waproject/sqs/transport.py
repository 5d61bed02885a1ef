"""The kombu transport `sqs://`: loses no message, batches requests, and survives malformed messages.

A queue of `predefined_queues` that is consumed in Celery's event loop (prefork, threads, solo) gets a `QueueConsumer`;
everything else is kombu's. docs/internals.md lists the overridden parts of kombu.
"""

import contextvars
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kombu.transport import SQS, virtual

from waproject.sqs import publisher
from waproject.sqs.consumer import QueueConsumer, QueueOptions
from waproject.sqs.envelope import DECODED
from waproject.sqs.receiving import always_open

_collected: contextvars.ContextVar[list[publisher.Outgoing] | None] = contextvars.ContextVar("collected", default=None)


@contextmanager
def collected() -> Iterator[list[publisher.Outgoing]]:
    """Collect messages that are published inside instead of sending them, for `Publisher.send_many`."""
    messages: list[publisher.Outgoing] = []
    token = _collected.set(messages)
    try:
        yield messages
    finally:
        _collected.reset(token)


class Message(virtual.Message):  # type: ignore[misc]
    """One message, or several joined ones. The body that was decoded for its check is not encoded again."""

    def __init__(self, payload: dict[Any, Any], channel: Any = None, **kwargs: Any) -> None:
        arguments = payload.get(DECODED)
        if arguments is None:
            super().__init__(payload, channel, **kwargs)
            return
        super().__init__({**payload, "body": None}, channel, **kwargs)
        self.body = self._decoded_cache = arguments
        # Without a content type Celery takes the body for the decoded [args, kwargs, embed], in any pool.
        self.content_type = None


class Channel(SQS.Channel):  # type: ignore[misc]
    """The channel of one connection."""

    # base64 would add a third to every JSON body.
    body_encoding = None
    Message = Message

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._served: dict[str, QueueConsumer] = {}
        super().__init__(*args, **kwargs)

    def queue_declare(self, queue: str | None = None, passive: bool = False, **kwargs: Any) -> Any:
        """Make no request for predefined queues; kombu would ask for their size on each connection."""
        if queue in self.predefined_queues:
            return virtual.base.queue_declare_ok_t(queue, 0, 0)
        return super().queue_declare(queue, passive, **kwargs)

    def basic_consume(self, queue: str, no_ack: bool, callback: Any, consumer_tag: str, *args: Any, **kw: Any) -> Any:
        """Consume a queue: by a `QueueConsumer` in an event loop with acknowledgements, else as kombu does."""
        if self.hub is None or no_ack or queue not in self.predefined_queues:
            return super().basic_consume(queue, no_ack, callback, consumer_tag, *args, **kw)
        virtual.Channel.basic_consume(self, queue, no_ack, callback, consumer_tag, *args, **kw)
        options = self.transport_options
        consumer = self._served[queue] = QueueConsumer(
            publisher.shared_client(self.region),
            queue,
            QueueOptions.from_entry(self.predefined_queues[queue]),
            hub=self.hub,
            wait_time=self.wait_time_seconds,
            has_capacity=self.qos.can_consume,
            deliver=self.connection._callbacks[queue],
            undelivered=self._forget_undelivered,
            gate=options.get("gate", always_open),
        )
        consumer.start()
        return None

    def basic_cancel(self, consumer_tag: str) -> Any:
        """Stop consuming and release the messages that were not delivered."""
        consumer = self._served.get(self._tag_to_queue.get(consumer_tag, ""))
        if consumer and consumer_tag in self._consumers:
            consumer.stop()
        return super().basic_cancel(consumer_tag)

    def close(self) -> None:
        """Release unfinished messages, and send all pending deletes and visibility changes."""
        super().close()
        for consumer in self._served.values():
            consumer.close()
        self._served.clear()

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Delete a message soon, in a batch with others."""
        if consumer := self._consumer_of(delivery_tag):
            self.qos.ack(delivery_tag)
            consumer.ack(delivery_tag)
        else:
            super().basic_ack(delivery_tag, multiple)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Hide a failed message for its back-off; neither delete nor requeue it."""
        if consumer := self._consumer_of(delivery_tag):
            self.qos.ack(delivery_tag)
            consumer.reject(delivery_tag)
        else:
            super().basic_reject(delivery_tag, requeue)

    def _forget_undelivered(self, delivery_tag: str) -> None:
        """Free the prefetch slot of a delivery that Celery failed to take, or the worker would stall after a few."""
        with suppress(KeyError):
            self.qos.get(delivery_tag)
            self.qos.ack(delivery_tag)

    def _consumer_of(self, delivery_tag: str) -> QueueConsumer | None:
        try:
            url = self.qos.get(delivery_tag).delivery_info.get("sqs_queue")
        except KeyError:
            return None
        return self._serving(url)

    def _serving(self, url: object) -> QueueConsumer | None:
        return next((consumer for consumer in self._served.values() if consumer.serves(url)), None)

    def _restore(self, message: Any, *args: Any) -> Any:
        """Release a message; kombu calls this for unacknowledged ones on close."""
        if consumer := self._serving(message.delivery_info.get("sqs_queue")):
            return consumer.release(message.delivery_tag)
        return super()._restore(message, *args)

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        """Send in a request that other threads may share. Raises wire.SqsError."""
        if queue.endswith(".fifo") or message.get("redelivered") or queue not in self.predefined_queues:
            super()._put(queue, message, **kwargs)
            return
        properties = message["properties"]
        attributes = {}
        if (delay := self._resolve_delay_seconds(properties)) is not None:
            attributes["DelaySeconds"] = delay
        outgoing = publisher.Outgoing(self._new_queue(queue), json.dumps(message), attributes)
        together = _collected.get()
        if together is None:
            publisher.shared(self.region).send(outgoing)
        else:
            together.append(outgoing)


class Transport(SQS.Transport):  # type: ignore[misc]
    """`sqs://` with the channel above."""

    Channel = Channel
