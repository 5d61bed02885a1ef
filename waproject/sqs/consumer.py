"""The consumer of one queue: prefetches messages, delivers them as Celery has capacity, settles them in batches."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from waproject.sqs import envelope, joining
from waproject.sqs.loop_waker import Waker
from waproject.sqs.receiving import GATE_S, Received, Receiver, always_open
from waproject.sqs.settling import Settler
from waproject.sqs.wire import MAX_BATCH_ENTRIES, Client

logger = logging.getLogger(__name__)

# Visibility is extended for at most this long; a message whose task runs longer is received again and ends in the DLQ.
MAX_EXTENDED_S = 15 * 60
CLOSE_S = 10.0
# Prefetched messages wait this long for a closed gate, which saves a receive in a short outage. Then they are hidden
# for their back-off, so that other workers can run them and no worker uses up their receives.
MAX_GATED_S = 30.0
# The largest number of messages that run as one task.
MAX_JOINED = 30
# The task header with SQS's SentTimestamp (milliseconds since 1970; 0: missing).
SENT_AT = "sqs_sent_at"


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """A queue's entry in `predefined_queues`; times in seconds.

    tasks: the queue's tasks. joined_tasks: tasks whose messages may run as one. backoff_policy: the visibility timeout
    after a message's n-th receive failed. capacity: messages held at once.
    """

    url: str
    tasks: tuple[str, ...] = ()
    joined_tasks: tuple[str, ...] = ()
    backoff_policy: Mapping[int, int] = field(default_factory=dict)
    linger: float = 0.0
    visibility_timeout: int = 30
    capacity: int = 40

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> "QueueOptions":
        """The options of an entry, which may have other keys of kombu's."""
        return cls(**{name: entry[name] for name in cls.__slots__ if name in entry})


@dataclass(slots=True)
class Delivery:
    """One delivery to Celery: one SQS message, or several joined ones."""

    payload: dict[Any, Any]
    messages: list[Received]
    parts: list["Delivery"] = field(default_factory=list)

    @property
    def tag(self) -> str:
        """The delivery tag."""
        return self.messages[0].handle


class QueueConsumer:
    """The consumer of one queue. `deliver` runs in the event loop's thread; `ack` and `reject` are thread-safe.

    has_capacity: whether Celery takes another delivery. undelivered: gets the tag of a delivery on which `deliver`
    raised, and must not raise.
    """

    def __init__(
        self,
        client: Client,
        name: str,
        options: QueueOptions,
        *,
        hub: Any,
        wait_time: int,
        has_capacity: Callable[[], bool],
        deliver: Callable[[dict[Any, Any]], None],
        undelivered: Callable[[str], None],
        gate: Callable[[], bool] = always_open,
    ) -> None:
        self._name, self._options, self._hub = name, options, hub
        self._has_capacity, self._deliver, self._undelivered = has_capacity, deliver, undelivered
        self._waiting: deque[Delivery] = deque()
        self._delivered: dict[str, Delivery] = {}
        self._stopping = False
        self._gate = gate
        self._gated_since: float | None = None
        self._recheck_due = False
        self._settler = Settler(client, options.url, options.visibility_timeout)
        self._receiver = Receiver(
            client,
            options.url,
            take=self._take,
            release=self._release_messages,
            capacity=options.capacity,
            linger=options.linger,
            batch_size=MAX_JOINED if options.joined_tasks else MAX_BATCH_ENTRIES,
            wait_time=wait_time,
            gate=gate,
        )
        self._hub_thread = threading.get_ident()
        self._dispatching = False
        self._waker = Waker(hub, self._dispatch)

    def serves(self, url: object) -> bool:
        """Whether this is the consumer of the queue at `url`."""
        return url == self._options.url

    def start(self) -> None:
        """Begin to receive."""
        self._waker.attach()
        self._extender = self._hub.call_repeatedly(self._options.visibility_timeout / 4, self._extend)
        self._receiver.start()

    def stop(self) -> None:
        """Stop receiving, and release the messages that were not delivered to Celery."""
        self._stopping = True
        self._receiver.stop()
        self._extender.cancel()
        self._waker.detach()
        while self._waiting:
            self._release_messages(self._waiting.popleft().messages)

    def close(self) -> None:
        """Wait for the last long poll and for pending deletes and visibility changes."""
        self._receiver.join()
        while self._waiting:
            self._release_messages(self._waiting.popleft().messages)
        self._settler.close(CLOSE_S)
        self._waker.close()

    def ack(self, tag: str) -> None:
        """The task succeeded: delete its messages."""
        if delivery := self._pop_delivered(tag):
            self._settler.delete([message.handle for message in delivery.messages])
            self._receiver.free(len(delivery.messages))
            self._wake()

    def reject(self, tag: str) -> None:
        """The task failed: run each joined message alone; hide a single one for its back-off."""
        delivery = self._pop_delivered(tag)
        if delivery is None:
            return
        if delivery.parts and not self._stopping:
            logger.warning(
                "queue %s: %d joined messages failed; each is retried alone", self._name, len(delivery.parts)
            )
            for part in reversed(delivery.parts):
                # In a thread pool the failed task may have changed its arguments.
                part.payload[envelope.DECODED] = envelope.arguments_in(part.payload)
                self._waiting.appendleft(part)
        else:
            for message in delivery.messages:
                self._back_off(message)
            self._receiver.free(len(delivery.messages))
        self._wake()

    def release(self, tag: str) -> None:
        """Celery stops without having run the task: make its messages visible at once."""
        if delivery := self._pop_delivered(tag):
            self._release_messages(delivery.messages)

    def _pop_delivered(self, tag: str) -> Delivery | None:
        return self._delivered.pop(tag, None)

    def _back_off(self, message: Received) -> None:
        """Hide a failed message for its back-off; the redrive policy counts its receives."""
        seconds = self._options.backoff_policy.get(message.receive_count)
        if seconds is not None:
            self._settler.hide([message.handle], seconds)

    def _release_messages(self, messages: list[Received]) -> None:
        self._settler.hide([message.handle for message in messages], 0)
        self._receiver.free(len(messages))

    def _take(self, received: list[Received]) -> None:
        """Called by the receiver's threads."""
        self._waiting.extend(self._deliveries(received))
        self._wake()

    def _deliveries(self, received: list[Received]) -> list[Delivery]:
        """The messages as deliveries. Malformed ones are logged without their text and left to the redrive policy."""
        deliveries: list[Delivery] = []
        joinable: dict[str, list[tuple[Delivery, list[Any]]]] = {}
        for message in received:
            try:
                payload = envelope.payload_in(message.body)
                arguments = envelope.check(payload, self._options.tasks)
                payload[envelope.DECODED] = arguments
                delivery = Delivery(_with_delivery_info(payload, message, self._options.url), [message])
                may_join = joining.may_join(payload, arguments, self._options.joined_tasks)
                join_key = joining.join_key(payload) if may_join else ""
            except Exception as error:  # the worker must survive any message
                fault = error if isinstance(error, envelope.MalformedMessage) else type(error).__name__
                logger.error(
                    "left on queue %s for its redrive policy: sqs message %s: %s", self._name, message.message_id, fault
                )
                self._receiver.free(1)
                continue
            if may_join:
                joinable.setdefault(join_key, []).append((delivery, arguments))
            else:
                deliveries.append(delivery)
        for parts in joinable.values():
            deliveries += self._joined_or_alone(parts)
        return deliveries

    def _joined_or_alone(self, parts: list[tuple[Delivery, list[Any]]]) -> list[Delivery]:
        try:
            return [_joined(parts)]
        except Exception as error:  # the receiving thread must survive; each message runs alone instead
            logger.error("queue %s: %d messages cannot be joined: %s", self._name, len(parts), type(error).__name__)
            return [delivery for delivery, _ in parts]

    def _wake(self) -> None:
        """Deliver waiting messages: directly in the event loop's thread, else by waking up the loop."""
        if threading.get_ident() == self._hub_thread:
            self._dispatch()
        elif self._waiting and not self._stopping:
            self._waker.wake()

    def _dispatch(self) -> None:
        if self._dispatching:  # Celery settled a delivery within `_deliver`
            return
        self._dispatching = True
        try:
            while self._waiting and not self._stopping and self._gate_is_open() and self._has_capacity():
                self._deliver_safely(self._waiting.popleft())
        finally:
            self._dispatching = False

    def _deliver_safely(self, delivery: Delivery) -> None:
        self._delivered[delivery.tag] = delivery
        try:
            self._deliver(delivery.payload)
        except Exception as error:  # the other messages must not wait because of this one
            message_id, fault = delivery.messages[0].message_id, type(error).__name__
            logger.error("queue %s: sqs message %s was not delivered: %s", self._name, message_id, fault)
            self._undelivered(delivery.tag)
            self.reject(delivery.tag)

    def _gate_is_open(self) -> bool:
        """Whether the gate is open. While it is closed, checks it again later, and backs off messages after a while."""
        if self._gate():
            self._gated_since = None
            return True
        now = time.monotonic()
        self._gated_since = self._gated_since or now
        if now - self._gated_since > MAX_GATED_S:
            self._back_off_all_waiting()
        elif not self._recheck_due:
            self._recheck_due = True
            self._hub.call_later(GATE_S, self._recheck_gate)
        return False

    def _recheck_gate(self) -> None:
        self._recheck_due = False
        self._dispatch()

    def _back_off_all_waiting(self) -> None:
        logger.warning("queue %s: %d waiting deliveries are hidden for their back-off", self._name, len(self._waiting))
        while self._waiting:
            messages = self._waiting.popleft().messages
            for message in messages:
                self._back_off(message)
            self._receiver.free(len(messages))
        self._gated_since = None

    def _extend(self) -> None:
        """Extend the visibility timeout of held messages, so that no other worker receives them meanwhile."""
        now, timeout = time.monotonic(), self._options.visibility_timeout
        held = [message for delivery in [*self._delivered.values(), *self._waiting] for message in delivery.messages]
        due = [message.handle for message in held if timeout / 4 < now - message.at < MAX_EXTENDED_S]
        if due:
            self._settler.hide(due, timeout)


def _with_delivery_info(payload: dict[Any, Any], message: Received, url: str) -> dict[Any, Any]:
    """The payload with the delivery information that kombu and Celery expect."""
    properties = payload["properties"]
    information = properties.get("delivery_info")
    information = information if isinstance(information, dict) else {}
    properties["delivery_info"] = {"exchange": "", "routing_key": "", **information, "sqs_queue": url}
    properties["delivery_tag"] = message.handle
    payload["headers"][SENT_AT] = message.sent_at
    return payload


def _joined(parts: list[tuple[Delivery, list[Any]]]) -> Delivery:
    deliveries = [delivery for delivery, _ in parts]
    if len(parts) == 1:
        return deliveries[0]
    payload = joining.join([delivery.payload for delivery in deliveries], [arguments for _, arguments in parts])
    return Delivery(payload, [delivery.messages[0] for delivery in deliveries], deliveries)
