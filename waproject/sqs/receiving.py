"""Receiving: long polls in threads of their own, and when to poll."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from waproject.sqs.back_off import back_off
from waproject.sqs.wire import MAX_BATCH_ENTRIES, Client, SqsError

logger = logging.getLogger(__name__)

# How long an answer may take beyond its long poll.
ANSWER_MARGIN_S = 10.0
# How often a closed gate is checked.
GATE_S = 0.5
# Concurrent requests while there is a backlog; otherwise there is one. At 10 ms a request, one thread receives 900
# messages a second.
THREADS = 2
RECEIVE_COUNT = "ApproximateReceiveCount"


@dataclass(frozen=True, slots=True)
class Received:
    """One message from SQS; `at`: receive time by our monotonic clock; `sent_at`: SentTimestamp in ms (0: missing)."""

    message_id: str
    handle: str
    body: str
    receive_count: int
    at: float
    sent_at: int = 0


def always_open() -> bool:
    """The gate of an application without one."""
    return True


class Receiver:
    """Receives from one queue while there is capacity, and passes messages to `take`, called in the receiver's thread.

    capacity: messages held at once at most; a request is made when a full answer fits.
    batch_size: messages that `take` gets at once, if the queue has that many; several requests then fill one batch.
    linger: seconds between an answer that was not full and the next request, so that it returns more messages.
    gate: while it returns False, no request is made.
    release: gets messages that arrive after `stop`.
    """

    def __init__(
        self,
        client: Client,
        url: str,
        *,
        take: Callable[[list[Received]], None],
        release: Callable[[list[Received]], None],
        capacity: int,
        linger: float,
        wait_time: int,
        batch_size: int = MAX_BATCH_ENTRIES,
        gate: Callable[[], bool] = always_open,
    ) -> None:
        self._client, self._url = client, url
        self._take, self._release = take, release
        self._capacity, self._batch_size = max(capacity, 2 * MAX_BATCH_ENTRIES), batch_size
        self._linger, self._wait_time, self._gate = linger, wait_time, gate
        self._held = 0
        self._backlog = False
        self._warned = False
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(n == 0,), name=f"sqs-receive-{n}", daemon=True)
            for n in range(THREADS)
        ]

    def start(self) -> None:
        """Begin to receive."""
        for thread in self._threads:
            thread.start()

    def free(self, count: int) -> None:
        """Free the capacity of `count` messages."""
        with self._changed:
            self._free_locked(count)

    def stop(self) -> None:
        """Make no more requests. A running long poll ends by itself, and its messages go to `release`."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()

    def join(self) -> None:
        """Wait for the last long poll: messages of an aborted one would stay hidden for their visibility timeout."""
        deadline = time.monotonic() + self._wait_time + ANSWER_MARGIN_S
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self, first: bool) -> None:
        failures = 0
        while self._reserve(first):
            # Only one thread long-polls: a second one would receive the next message alone, despite the linger.
            received, failed = self._receive_safely(self._wait_time if first else 0, failures)
            full = len(received) == MAX_BATCH_ENTRIES
            while full and len(received) + MAX_BATCH_ENTRIES <= self._batch_size and self._reserve_at_once():
                more, failed = self._receive_safely(0, failures)
                received += more
                full = len(more) == MAX_BATCH_ENTRIES
            failures = failures + 1 if failed else 0
            self._note_backlog(full)
            if received:
                (self._release if self._stopping.is_set() else self._take)(received)
            self._pause(failures, 0 if full else len(received))

    def _receive_safely(self, wait_time: int, failures: int) -> tuple[list[Received], bool]:
        """(messages, failed). Keeps as much capacity reserved as there are messages."""
        received: list[Received] = []
        failed = False
        try:
            received = self._receive(wait_time)
        except SqsError as error:
            failed = True
            if (failures + 1) & failures == 0:  # the 1st, 2nd, 4th, 8th …
                logger.warning("receiving from sqs failed: %s", error)
        except Exception:  # the thread's edge: without it the worker would look alive and do nothing
            failed = True
            logger.exception("receiving failed unexpectedly")
        self.free(MAX_BATCH_ENTRIES - len(received))
        return received, failed

    def _reserve(self, first: bool) -> bool:
        """Wait until a full answer fits and reserve its capacity. Returns False on `stop`."""
        with self._changed:
            while not self._stopping.is_set():
                may = self._gate()
                if self._fits() and may and (first or self._backlog):
                    self._held += MAX_BATCH_ENTRIES
                    return True
                self._changed.wait(None if may else GATE_S)
        return False

    def _reserve_at_once(self) -> bool:
        """Reserve the capacity of one more answer if that is possible without waiting."""
        with self._changed:
            may = self._fits() and not self._stopping.is_set() and self._gate()
            self._held += MAX_BATCH_ENTRIES if may else 0
        return may

    def _fits(self) -> bool:
        """Whether there is capacity for a full answer."""
        return self._held + MAX_BATCH_ENTRIES <= self._capacity

    def _note_backlog(self, backlog: bool) -> None:
        with self._changed:
            began, self._backlog = backlog and not self._backlog, backlog
            if began:
                self._changed.notify_all()

    def _free_locked(self, count: int) -> None:
        fitted = self._fits()
        self._held -= count
        if not fitted and self._fits():  # otherwise no thread waits for capacity, and each wake-up costs CPU
            self._changed.notify_all()

    def _receive(self, wait_time: int) -> list[Received]:
        answer = self._client.call(
            "ReceiveMessage",
            {
                "QueueUrl": self._url,
                "MaxNumberOfMessages": MAX_BATCH_ENTRIES,
                "WaitTimeSeconds": wait_time,
                "MessageSystemAttributeNames": [RECEIVE_COUNT, "SentTimestamp"],
            },
            wait_time + ANSWER_MARGIN_S,
        )
        now = time.monotonic()
        messages = answer.get("Messages") or ()
        if messages and not self._warned and RECEIVE_COUNT not in (messages[0].get("Attributes") or {}):
            self._warned = True
            logger.warning(
                "the SQS server does not say how often a message was received, so that every retry waits as the first: "
                "use a version of it that knows MessageSystemAttributeNames"
            )
        return [_received(message, now) for message in messages]

    def _pause(self, failures: int, drained: int) -> None:
        if failures:
            self._stopping.wait(back_off(failures))
        elif drained and self._linger:
            self._stopping.wait(self._linger)


def _received(message: dict[str, Any], now: float) -> Received:
    attributes = message.get("Attributes") or {}
    return Received(
        message.get("MessageId", ""),
        message["ReceiptHandle"],
        message.get("Body", ""),
        int(attributes.get(RECEIVE_COUNT, 1)),
        now,
        int(attributes.get("SentTimestamp", 0)),
    )
