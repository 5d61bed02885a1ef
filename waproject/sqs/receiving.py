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

# How much later than its long poll an answer may come.
ANSWER_S = 10.0
# How often a closed gate is looked at.
GATE_S = 0.5
# Requests under way at once while there is a backlog; without one it is one. At 10 ms a request, one thread brings
# 900 messages a second.
THREADS = 2


@dataclass(frozen=True, slots=True)
class Received:
    """One message as SQS gave it; `at` is our monotonic clock, `sent_at` SQS's in milliseconds (0: not said)."""

    message_id: str
    handle: str
    body: str
    receive_count: int
    at: float
    sent_at: int = 0


def always() -> bool:
    """The gate of an application that can always work."""
    return True


class Receiver:
    """Receives from one queue while there is room, and hands each answer to `take` (called in a thread of ours).

    room: messages that may be held here at once; a request is made when a full answer fits.
    gather: messages to hand over together where that many are there, in the place of one answer's.
    linger: seconds to leave the queue alone after an answer that was not full, so that the next one brings more.
    gate: whether the application can work at all, e.g. whether its database is there; nothing is asked for without.
    give_back: gets what arrives when it is not wanted any more.
    """

    def __init__(
        self,
        client: Client,
        url: str,
        *,
        take: Callable[[list[Received]], None],
        give_back: Callable[[list[Received]], None],
        room: int,
        linger: float,
        wait_time: int,
        gather: int = MAX_BATCH_ENTRIES,
        gate: Callable[[], bool] = always,
    ) -> None:
        self._client, self._url = client, url
        self._take, self._give_back = take, give_back
        self._room, self._gather = max(room, 2 * MAX_BATCH_ENTRIES), gather
        self._linger, self._wait_time, self._gate = linger, wait_time, gate
        self._held = 0
        self._backlog = False
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

    def done_with(self, count: int) -> None:
        """So many messages are held no longer."""
        with self._changed:
            self._release(count)

    def stop(self) -> None:
        """Ask no more. A long poll that is under way ends in its own time; what it brings is given back."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()

    def join(self) -> None:
        """Wait for the end of the last long poll: to break it off could hide what it was about to bring."""
        deadline = time.monotonic() + self._wait_time + ANSWER_S
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self, first: bool) -> None:
        failures = 0
        while self._reserve(first):
            # Only one waits for messages: a second long poll would take the next one alone, past the linger.
            received, failed = self._receive_safely(self._wait_time if first else 0, failures)
            full = len(received) == MAX_BATCH_ENTRIES
            while full and len(received) + MAX_BATCH_ENTRIES <= self._gather and self._reserve_at_once():
                more, failed = self._receive_safely(0, failures)
                received += more
                full = len(more) == MAX_BATCH_ENTRIES
            failures = failures + 1 if failed else 0
            self._note_backlog(full)
            if received:
                (self._give_back if self._stopping.is_set() else self._take)(received)
            self._pause(failures, 0 if full else len(received))

    def _receive_safely(self, wait_time: int, failures: int) -> tuple[list[Received], bool]:
        """What came, of which so much stays reserved, and whether it failed."""
        received: list[Received] = []
        failed = False
        try:
            received = self._receive(wait_time)
        except SqsError as error:
            failed = True
            if (failures + 1) & failures == 0:  # the 1st, 2nd, 4th, 8th …
                logger.warning("sqs did not answer a receive: %s", error)
        except Exception:  # the thread's edge: without it the worker would look alive and do nothing
            failed = True
            logger.exception("a receive failed")
        self.done_with(MAX_BATCH_ENTRIES - len(received))
        return received, failed

    def _reserve(self, first: bool) -> bool:
        """Wait until a full answer fits, and count it as held already; False when it is time to end."""
        with self._changed:
            while not self._stopping.is_set():
                may = self._gate()
                if self._fits() and may and (first or self._backlog):
                    self._held += MAX_BATCH_ENTRIES
                    return True
                self._changed.wait(None if may else GATE_S)
        return False

    def _reserve_at_once(self) -> bool:
        """Count one more answer as held, unless it would have to be waited for."""
        with self._changed:
            may = self._fits() and not self._stopping.is_set() and self._gate()
            self._held += MAX_BATCH_ENTRIES if may else 0
        return may

    def _fits(self) -> bool:
        """Whether there is room for a full answer."""
        return self._held + MAX_BATCH_ENTRIES <= self._room

    def _note_backlog(self, backlog: bool) -> None:
        with self._changed:
            began, self._backlog = backlog and not self._backlog, backlog
            if began:
                self._changed.notify_all()

    def _release(self, count: int) -> None:
        fitted = self._fits()
        self._held -= count
        if not fitted and self._fits():  # else nobody waits for it, and each waking costs CPU
            self._changed.notify_all()

    def _receive(self, wait_time: int) -> list[Received]:
        answer = self._client.call(
            "ReceiveMessage",
            {
                "QueueUrl": self._url,
                "MaxNumberOfMessages": MAX_BATCH_ENTRIES,
                "WaitTimeSeconds": wait_time,
                "MessageSystemAttributeNames": ["ApproximateReceiveCount", "SentTimestamp"],
            },
            wait_time + ANSWER_S,
        )
        now = time.monotonic()
        return [_received(message, now) for message in answer.get("Messages") or ()]

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
        int(attributes.get("ApproximateReceiveCount", 1)),
        now,
        int(attributes.get("SentTimestamp", 0)),
    )
