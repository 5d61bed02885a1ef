"""Settling: batched deletes and visibility changes of received messages."""

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass

from waproject.sqs.back_off import back_off
from waproject.sqs.wire import MAX_BATCH_ENTRIES, Client, SqsError

logger = logging.getLogger(__name__)

# A delete waits this long for nine others. Far below any visibility timeout; what a killed process had not told yet
# is done again.
FLUSH_S = 0.25
REQUEST_TIMEOUT_S = 5.0
# Batches that may be under way at once: at 10 ms a request one thread deletes 900 messages a second.
THREADS = 2


@dataclass(slots=True)
class Settlement:
    """One message's end: deleted, or hidden for `hide_s` seconds. Worth telling until `until` (monotonic)."""

    handle: str
    hide_s: int | None
    since: float
    until: float


class Settler:
    """Settles the messages of one queue from threads of its own; every method may be called from any thread.

    A settlement that SQS did not take is told again with back-off, until the message's visibility timeout makes it
    pointless. A receipt handle that is stale is dropped: SQS shows that message again.
    """

    def __init__(self, client: Client, url: str, visibility_timeout: float) -> None:
        self._client = client
        self._url = url
        self._visibility_timeout = visibility_timeout
        self._deletes: deque[Settlement] = deque()
        self._hides: deque[Settlement] = deque()
        self._changed = threading.Condition()
        self._failures = 0
        self._not_before = 0.0
        self._closing_until: float | None = None
        self._threads = [
            threading.Thread(target=self._run, name=f"sqs-settle-{n}", daemon=True) for n in range(THREADS)
        ]
        for thread in self._threads:
            thread.start()

    def delete(self, handles: list[str]) -> None:
        """The tasks of these messages are done."""
        self._add(self._deletes, handles, None)

    def hide(self, handles: list[str], seconds: int) -> None:
        """Show these messages again after `seconds` from now; 0 gives them back at once."""
        self._add(self._hides, handles, seconds)

    def close(self, timeout: float) -> int:
        """Tell SQS what it was not told yet, for at most `timeout` seconds; returns how many are left."""
        with self._changed:
            self._closing_until = time.monotonic() + timeout
            self._not_before = 0.0
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, self._closing_until + 1 - time.monotonic()))
        left = len(self._deletes) + len(self._hides)
        if left:
            logger.warning("%d messages were not settled: sqs shows them again after their visibility timeout", left)
        return left

    def _add(self, settlements: "deque[Settlement]", handles: list[str], hide_s: int | None) -> None:
        now = time.monotonic()
        with self._changed:
            before = len(settlements)
            settlements.extend(Settlement(handle, hide_s, now, now + self._visibility_timeout) for handle in handles)
            # A thread is woken to count the time of a first delete and to send a full batch; each waking costs CPU.
            filled = len(settlements) // MAX_BATCH_ENTRIES > before // MAX_BATCH_ENTRIES
            if not before or filled or hide_s is not None:
                self._changed.notify()

    def _run(self) -> None:
        while batch := self._next_batch():
            self._tell(batch)

    def _next_batch(self) -> list[Settlement]:
        """Up to ten settlements of one kind, when it is time for them; none when there is nothing left to do."""
        with self._changed:
            while True:
                now = time.monotonic()
                closing = self._closing_until is not None
                if closing and (now >= (self._closing_until or 0.0) or not (self._deletes or self._hides)):
                    return []
                wait = self._not_before - now
                if wait <= 0:
                    wait = self._time_to_flush(now)
                    if wait <= 0 or (closing and (self._deletes or self._hides)):
                        return self._take(self._hides or self._deletes)
                self._changed.wait(None if wait == float("inf") else wait)

    def _time_to_flush(self, now: float) -> float:
        if self._hides or len(self._deletes) >= MAX_BATCH_ENTRIES:
            return 0.0
        return self._deletes[0].since + FLUSH_S - now if self._deletes else float("inf")

    def _take(self, settlements: "deque[Settlement]") -> list[Settlement]:
        return [settlements.popleft() for _ in range(min(MAX_BATCH_ENTRIES, len(settlements)))]

    def _tell(self, batch: list[Settlement]) -> None:
        deleting = batch[0].hide_s is None
        entries = [
            {"Id": str(n), "ReceiptHandle": settlement.handle}
            | ({} if deleting else {"VisibilityTimeout": settlement.hide_s})
            for n, settlement in enumerate(batch)
        ]
        action = "DeleteMessageBatch" if deleting else "ChangeMessageVisibilityBatch"
        try:
            answer = self._client.call(action, {"QueueUrl": self._url, "Entries": entries}, REQUEST_TIMEOUT_S)
            failed = answer.get("Failed") or []
            again = [batch[int(entry["Id"])] for entry in failed if not entry.get("SenderFault")]
        except SqsError as error:
            self._again(batch, str(error))
            return
        except Exception as error:  # the thread's edge: without it nothing would ever be deleted again
            self._again(batch, type(error).__name__)
            return
        if stale := len(failed) - len(again):
            logger.info("sqs no longer knew %d receipt handles (%s)", stale, action)
        if again:
            self._again(again, "single entries failed")
        else:
            self._failures = 0

    def _again(self, batch: list[Settlement], why: str) -> None:
        now = time.monotonic()
        worth_it = [settlement for settlement in batch if settlement.until > now]
        with self._changed:
            self._failures += 1
            pause = back_off(self._failures)
            (self._deletes if batch[0].hide_s is None else self._hides).extendleft(reversed(worth_it))
            self._not_before = now + (min(pause, 0.5) if self._closing_until is not None else pause)
            self._changed.notify_all()
        if self._failures & (self._failures - 1) == 0:  # the 1st, 2nd, 4th, 8th …: a long outage fills no log
            logger.warning("sqs did not settle %d messages: %s", len(batch), why)
