"""The consumer of one queue: messages received ahead, handed to Celery as it has room, settled in batches."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from waproject.sqs import envelope, joining
from waproject.sqs.loop_waker import Waker
from waproject.sqs.receiving import GATE_S, Received, Receiver, always
from waproject.sqs.settling import Settler
from waproject.sqs.wire import MAX_BATCH_ENTRIES, Client

logger = logging.getLogger(__name__)

# Visibility is extended only so long: what a task cannot finish in it is received again and ends in the DLQ.
MAX_HELD_S = 15 * 60
CLOSE_S = 10.0
# What is here while the gate is closed waits so long, which spares it a receive when the outage is short. Then it is
# left to its back-off: another worker may do it, and workers that pass it on cannot use up its receives.
GATED_S = 30.0
# Messages that one task may be joined of.
GATHERED = 30
# The header in which a task finds when SQS took its message (milliseconds since 1970; 0: SQS did not say).
SENT_AT = "sqs_sent_at"


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """What a queue's entry in `predefined_queues` says; times in seconds.

    tasks: names that the queue carries; none for any. joined_tasks: those whose messages may run as one.
    backoff_policy: how long a message is hidden after its n-th receive failed. room: messages held at once.
    """

    url: str
    tasks: tuple[str, ...] = ()
    joined_tasks: tuple[str, ...] = ()
    backoff_policy: Mapping[int, int] = field(default_factory=dict)
    linger: float = 0.0
    visibility_timeout: int = 30
    room: int = 40

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> "QueueOptions":
        """Of an entry, which may have kombu's other keys too."""
        return cls(**{name: entry[name] for name in cls.__slots__ if name in entry})


@dataclass(slots=True)
class Delivery:
    """What Celery gets as one message: one message of SQS, or several that were joined."""

    payload: dict[Any, Any]
    messages: list[Received]
    parts: list["Delivery"] = field(default_factory=list)

    @property
    def tag(self) -> str:
        """Its delivery tag."""
        return self.messages[0].handle


class QueueConsumer:
    """Serves one consumer. `deliver` and the hub's calls are of the hub's thread, `ack` and `reject` of any."""

    def __init__(
        self,
        client: Client,
        name: str,
        options: QueueOptions,
        *,
        hub: Any,
        wait_time: int,
        has_room: Callable[[], bool],
        deliver: Callable[[dict[Any, Any]], None],
        gate: Callable[[], bool] = always,
    ) -> None:
        self._name, self._options, self._hub = name, options, hub
        self._has_room, self._deliver = has_room, deliver
        self._waiting: deque[Delivery] = deque()
        self._delivered: dict[str, Delivery] = {}
        self._stopping = False
        self._gate = gate
        self._gated_since: float | None = None
        self._look_due = False
        self._settler = Settler(client, options.url, options.visibility_timeout)
        self._receiver = Receiver(
            client,
            options.url,
            take=self._take,
            give_back=self._give_back,
            room=options.room,
            linger=options.linger,
            gather=GATHERED if options.joined_tasks else MAX_BATCH_ENTRIES,
            wait_time=wait_time,
            gate=gate,
        )
        self._hub_thread = threading.get_ident()
        self._handing_over = False
        self._waker = Waker(hub, self._hand_over)

    def serves(self, url: object) -> bool:
        """Whether this is the consumer of the queue at `url`."""
        return url == self._options.url

    def start(self) -> None:
        """Begin to receive."""
        self._waker.listen()
        self._extender = self._hub.call_repeatedly(self._options.visibility_timeout / 4, self._extend)
        self._receiver.start()

    def stop(self) -> None:
        """Receive no more, and give back what Celery has not been handed."""
        self._stopping = True
        self._receiver.stop()
        self._extender.cancel()
        self._waker.ignore()
        while self._waiting:
            self._give_back(self._waiting.popleft().messages)

    def close(self) -> None:
        """Wait for the last long poll and for all that is to be settled."""
        self._receiver.join()
        while self._waiting:
            self._give_back(self._waiting.popleft().messages)
        self._settler.close(CLOSE_S)
        self._waker.close()

    def ack(self, tag: str) -> None:
        """The task is done: delete its messages."""
        if delivery := self._end_of(tag):
            self._settler.delete([message.handle for message in delivery.messages])
            self._receiver.done_with(len(delivery.messages))
            self._wake()

    def reject(self, tag: str) -> None:
        """The task failed. Joined messages are tried each on its own, a single one is hidden for its back-off."""
        delivery = self._end_of(tag)
        if delivery is None:
            return
        if delivery.parts and not self._stopping:
            logger.warning("queue %s: %d joined messages failed, each is tried alone", self._name, len(delivery.parts))
            for part in reversed(delivery.parts):
                # In a pool of threads the task that failed may have changed what it was given.
                part.payload[envelope.DECODED] = envelope.arguments_in(part.payload)
                self._waiting.appendleft(part)
        else:
            for message in delivery.messages:
                self._leave(message)
            self._receiver.done_with(len(delivery.messages))
        self._wake()

    def give_back(self, tag: str) -> None:
        """Celery ends without having done this: somebody else may, at once."""
        if delivery := self._end_of(tag):
            self._give_back(delivery.messages)

    def _end_of(self, tag: str) -> Delivery | None:
        return self._delivered.pop(tag, None)

    def _leave(self, message: Received) -> None:
        """Leave a message to the redrive policy, hidden for its back-off."""
        seconds = self._options.backoff_policy.get(message.receive_count)
        if seconds is not None:
            self._settler.hide([message.handle], seconds)

    def _give_back(self, messages: list[Received]) -> None:
        self._settler.hide([message.handle for message in messages], 0)
        self._receiver.done_with(len(messages))

    def _take(self, received: list[Received]) -> None:
        """Called by the receiver's threads."""
        self._waiting.extend(self._deliveries(received))
        self._wake()

    def _deliveries(self, received: list[Received]) -> list[Delivery]:
        """The messages as Celery can take them; what it cannot take is logged, without its text, and left."""
        deliveries: list[Delivery] = []
        joinable: dict[str, list[tuple[Delivery, list[Any]]]] = {}
        for message in received:
            try:
                payload = envelope.payload_in(message.body)
                arguments = envelope.check(payload, self._options.tasks)
                payload[envelope.DECODED] = arguments
                delivery = Delivery(_addressed(payload, message, self._options.url), [message])
                may_join = joining.may_join(payload, arguments, self._options.joined_tasks)
                likeness = joining.likeness(payload) if may_join else ""
            except Exception as error:  # the worker must outlive whatever somebody put on its queue
                fault = error if isinstance(error, envelope.MalformedMessage) else type(error).__name__
                logger.error(
                    "left on queue %s for its redrive policy: sqs message %s: %s", self._name, message.message_id, fault
                )
                self._receiver.done_with(1)
                continue
            if may_join:
                joinable.setdefault(likeness, []).append((delivery, arguments))
            else:
                deliveries.append(delivery)
        return deliveries + [_joined(parts) for parts in joinable.values()]

    def _wake(self) -> None:
        """Hand over what waits: now when this is the hub's thread, else once the hub is woken."""
        if threading.get_ident() == self._hub_thread:
            self._hand_over()
        elif self._waiting and not self._stopping:
            self._waker.wake()

    def _hand_over(self) -> None:
        if self._handing_over:  # a delivery that Celery settled at once
            return
        self._handing_over = True
        while self._waiting and not self._stopping and self._may_start() and self._has_room():
            delivery = self._waiting.popleft()
            self._delivered[delivery.tag] = delivery
            try:
                self._deliver(delivery.payload)
            except Exception:  # Celery could not even refuse it; the others must not wait for that
                logger.exception("queue %s: sqs message %s", self._name, delivery.messages[0].message_id)
                self.reject(delivery.tag)
        self._handing_over = False

    def _may_start(self) -> bool:
        """Whether the gate is open. While it is not, it is looked at again, and nothing waits here for too long."""
        if self._gate():
            self._gated_since = None
            return True
        now = time.monotonic()
        self._gated_since = self._gated_since or now
        if now - self._gated_since > GATED_S:
            self._leave_all_waiting()
        elif not self._look_due:
            self._look_due = True
            self._hub.call_later(GATE_S, self._look_again)
        return False

    def _look_again(self) -> None:
        self._look_due = False
        self._hand_over()

    def _leave_all_waiting(self) -> None:
        logger.warning("queue %s: %d deliveries are left to their back-off", self._name, len(self._waiting))
        while self._waiting:
            messages = self._waiting.popleft().messages
            for message in messages:
                self._leave(message)
            self._receiver.done_with(len(messages))
        self._gated_since = None

    def _extend(self) -> None:
        """Hide what is held here for longer, so that nobody else receives it while its task waits or runs."""
        now, timeout = time.monotonic(), self._options.visibility_timeout
        held = [message for delivery in [*self._delivered.values(), *self._waiting] for message in delivery.messages]
        due = [message.handle for message in held if timeout / 4 < now - message.at < MAX_HELD_S]
        if due:
            self._settler.hide(due, timeout)


def _addressed(payload: dict[Any, Any], message: Received, url: str) -> dict[Any, Any]:
    """With what kombu and Celery look for beside the task."""
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
