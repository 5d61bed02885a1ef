"""Settling: batched deletes and visibility changes of received messages."""

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass

from waproject.sqs.back_off import back_off
from waproject.sqs.wire import MAX_BATCH_ENTRIES, Client, SqsError

logger = logging.getLogger(__name__)

# A delete waits this long for nine others. Far below any visibility timeout; messages whose delete a killed process
# had not sent are delivered again.
FLUSH_S = 0.25
REQUEST_TIMEOUT_S = 5.0
# Concurrent requests: at 10 ms a request one thread deletes 900 messages a second.
THREADS = 2


@dataclass(slots=True)
class Settlement:
    """A pending delete of one message, or a change of its visibility to `visibility_s`; times are monotonic.

    After `expires_at` the message's visibility timeout is over, and SQS would ignore the request.
    """

    handle: str
    visibility_s: int | None
    since: float
    expires_at: float


class Settler:
    """Deletes messages of one queue, or changes their visibility, in threads of its own. Thread-safe.

    Failed requests are retried with back-off until the message's visibility timeout is over. A stale receipt handle is
    dropped: SQS delivers that message again.
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
        """Delete these messages soon."""
        self._add(self._deletes, handles, None)

    def hide(self, handles: list[str], seconds: int) -> None:
        """Make these messages visible again in `seconds`; 0 releases them at once."""
        self._add(self._hides, handles, seconds)

    def close(self, timeout: float) -> int:
        """Send what is pending, for at most `timeout` seconds; returns the number of messages that are left."""
        with self._changed:
            self._closing_until = time.monotonic() + timeout
            self._not_before = 0.0
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, self._closing_until + 1 - time.monotonic()))
        left = len(self._deletes) + len(self._hides)
        if left:
            logger.warning("%d messages were not settled: sqs delivers them again after their visibility timeout", left)
        return left

    def _add(self, settlements: "deque[Settlement]", handles: list[str], visibility_s: int | None) -> None:
        now = time.monotonic()
        with self._changed:
            before = len(settlements)
            expires_at = now + self._visibility_timeout
            settlements.extend(Settlement(handle, visibility_s, now, expires_at) for handle in handles)
            # Wake a thread only to start the flush timer or to send a full batch: each wake-up costs CPU.
            filled = len(settlements) // MAX_BATCH_ENTRIES > before // MAX_BATCH_ENTRIES
            if not before or filled or visibility_s is not None:
                self._changed.notify()

    def _run(self) -> None:
        while batch := self._next_batch():
            self._settle(batch)

    def _next_batch(self) -> list[Settlement]:
        """Wait for up to ten due settlements of one kind. Empty once the settler is closed and nothing is pending."""
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

    def _settle(self, batch: list[Settlement]) -> None:
        deleting = batch[0].visibility_s is None
        entries = [
            {"Id": str(n), "ReceiptHandle": settlement.handle}
            | ({} if deleting else {"VisibilityTimeout": settlement.visibility_s})
            for n, settlement in enumerate(batch)
        ]
        action = "DeleteMessageBatch" if deleting else "ChangeMessageVisibilityBatch"
        try:
            answer = self._client.call(action, {"QueueUrl": self._url, "Entries": entries}, REQUEST_TIMEOUT_S)
            failed = answer.get("Failed") or []
            retryable = [batch[int(entry["Id"])] for entry in failed if not entry.get("SenderFault")]
        except SqsError as error:
            self._retry(batch, str(error))
            return
        except Exception as error:  # the thread must survive, or nothing would be deleted any more
            self._retry(batch, type(error).__name__)
            return
        if stale := len(failed) - len(retryable):
            logger.info("%d receipt handles were stale (%s)", stale, action)
        if retryable:
            self._retry(retryable, "single entries failed")
        else:
            self._failures = 0

    def _retry(self, batch: list[Settlement], reason: str) -> None:
        now = time.monotonic()
        unexpired = [settlement for settlement in batch if settlement.expires_at > now]
        with self._changed:
            self._failures += 1
            pause = back_off(self._failures)
            (self._deletes if batch[0].visibility_s is None else self._hides).extendleft(reversed(unexpired))
            self._not_before = now + (min(pause, 0.5) if self._closing_until is not None else pause)
            self._changed.notify_all()
        if self._failures & (self._failures - 1) == 0:  # the 1st, 2nd, 4th, 8th …
            logger.warning("settling %d messages failed: %s", len(batch), reason)
