"""Batched publishing: messages of several threads share one SendMessageBatch.

A thread that sends alone sends at once. If another thread made a request within the last `BATCHING_WINDOW_S`, the next
thread opens a batch, which others may join for `BATCH_WAIT_S` or until it is full. A thread that sends one message
after another does not wait for itself, unless `wait_for_batch` is set: a thread of a web server cannot know which
thread gets the next request. The thread that opened a batch sends it, so no thread has to be restarted after a fork.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from waproject.sqs.breaker import Breaker
from waproject.sqs.wire import MAX_BATCH_BYTES, MAX_BATCH_ENTRIES, Client, Refused, SqsError, Unavailable

# A web request that cannot publish within this long does its work without SQS.
DEADLINE_S = 0.5
BATCHING_WINDOW_S = 0.05
BATCH_WAIT_S = 0.025
RETRY_S = 0.05
# An upper bound of an entry's size beside its body.
ENTRY_BYTES = 64


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message for a queue; `attributes` are further parameters of SendMessage, e.g. DelaySeconds."""

    url: str
    body: str
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """In bytes, as SQS counts."""
        return len(self.body.encode()) + ENTRY_BYTES


@dataclass(slots=True)
class _Batch:
    entries: list[Outgoing] = field(default_factory=list)
    size: int = 0
    full: threading.Event = field(default_factory=threading.Event)
    sent: threading.Event = field(default_factory=threading.Event)
    errors: list[SqsError | None] = field(default_factory=list)

    def fits(self, message: Outgoing) -> bool:
        return len(self.entries) < MAX_BATCH_ENTRIES and self.size + message.size <= MAX_BATCH_BYTES

    def add(self, message: Outgoing) -> int:
        self.entries.append(message)
        self.size += message.size
        if len(self.entries) == MAX_BATCH_ENTRIES:
            self.full.set()
        return len(self.entries) - 1


class Publisher:
    """Sends to SQS from any number of threads; one for each process and region."""

    def __init__(self, client: Client, *, deadline: float = DEADLINE_S, retry_after: float = 1.0) -> None:
        self._client = client
        self._deadline = deadline
        # While SQS is unavailable one caller a second tries; the others fail at once.
        self._breaker = Breaker(retry_after)
        self._lock = threading.Lock()
        self._open: dict[str, _Batch] = {}
        # By queue: when a request was last made, and by which thread; None when it carried several threads' messages.
        self._last_flush: dict[str, tuple[float, int | None]] = {}

    def send(self, message: Outgoing, *, wait_for_batch: bool = False) -> None:
        """Send one message. Raises Unavailable within the deadline, or Refused.

        wait_for_batch: wait for other threads' messages also if only this thread has been sending.
        """
        until = time.monotonic() + self._deadline
        batch, place = self._join(message)
        if place:
            if not batch.sent.wait(self._deadline):
                raise Unavailable("no answer within the deadline")
        else:
            self._send_as_leader(batch, until, wait_for_batch)
        if error := batch.errors[place]:
            raise error

    def send_many(self, messages: Sequence[Outgoing]) -> list[SqsError | None]:
        """Send any number in as few requests as possible. Returns each one's error or None; raises no SqsError."""
        batches: list[tuple[_Batch, list[int]]] = []
        open_batches: dict[str, tuple[_Batch, list[int]]] = {}
        for index, message in enumerate(messages):
            current = open_batches.get(message.url)
            if current is None or not current[0].fits(message):
                current = open_batches[message.url] = (_Batch(), [])
                batches.append(current)
            current[0].add(message)
            current[1].append(index)
        errors: list[SqsError | None] = [None] * len(messages)
        for batch, indexes in batches:
            self._send(batch, time.monotonic() + self._deadline)
            for index, error in zip(indexes, batch.errors, strict=True):
                errors[index] = error
        return errors

    def _join(self, message: Outgoing) -> tuple[_Batch, int]:
        """The message's batch and its index there. The thread with index 0 sends the batch."""
        with self._lock:
            batch = self._open.get(message.url)
            if batch is None or not batch.fits(message):
                batch = self._open[message.url] = _Batch()
            return batch, batch.add(message)

    def _send_as_leader(self, batch: _Batch, until: float, wait_for_batch: bool) -> None:
        url = batch.entries[0].url
        flushed_at, by = self._last_flush.get(url, (0.0, None))
        if (wait_for_batch or by != threading.get_ident()) and time.monotonic() - flushed_at < BATCHING_WINDOW_S:
            batch.full.wait(BATCH_WAIT_S)
        with self._lock:
            if self._open.get(url) is batch:
                del self._open[url]
            alone = len(batch.entries) == 1
            self._last_flush[url] = (time.monotonic(), threading.get_ident() if alone else None)
        self._send(batch, until)

    def _send(self, batch: _Batch, until: float) -> None:
        """Set `batch.errors`, also after an exception: other threads wait for it."""
        errors: list[SqsError | None] = [Unavailable("not sent")] * len(batch.entries)
        try:
            if self._breaker.allows():
                self._send_until(batch.entries, errors, until)
            else:
                errors = [Unavailable("SQS was unavailable less than a second ago")] * len(batch.entries)
        finally:
            batch.errors = errors
            batch.sent.set()

    def _send_until(self, entries: list[Outgoing], errors: list[SqsError | None], until: float) -> None:
        """Send all entries, and retry those that failed until the deadline."""
        pending = list(range(len(entries)))
        pause = RETRY_S
        while pending:
            try:
                results = self._request([entries[index] for index in pending], until)
            except SqsError as error:
                results = [error] * len(pending)
            for index, result in zip(pending, results, strict=True):
                errors[index] = result
            pending = [index for index in pending if isinstance(errors[index], Unavailable)]
            if pending and time.monotonic() + pause >= until:
                break
            if pending:
                time.sleep(pause)
                pause *= 2
        if pending:
            self._breaker.failed()
        else:
            self._breaker.succeeded()

    def _request(self, entries: list[Outgoing], until: float) -> list[SqsError | None]:
        timeout = max(0.01, until - time.monotonic())
        if len(entries) == 1:
            entry = entries[0]
            self._client.call(
                "SendMessage", {"QueueUrl": entry.url, "MessageBody": entry.body, **entry.attributes}, timeout
            )
            return [None]
        parameters = {
            "QueueUrl": entries[0].url,
            "Entries": [
                {"Id": str(n), "MessageBody": entry.body, **entry.attributes} for n, entry in enumerate(entries)
            ],
        }
        answer = self._client.call("SendMessageBatch", parameters, timeout)
        results: list[SqsError | None] = [None] * len(entries)
        for failed in answer.get("Failed") or ():
            kind = Refused if failed.get("SenderFault") else Unavailable
            results[int(failed["Id"])] = kind(str(failed.get("Code")))
        return results


@cache
def shared_client(region: str) -> Client:
    """This process's client for a region, at the endpoint that boto3 would use, such as AWS_ENDPOINT_URL_SQS."""
    return Client.configured(region)


@cache
def shared(region: str) -> Publisher:
    """This process's publisher for a region: all connections and threads share it."""
    return Publisher(shared_client(region))


def reset_shared() -> None:
    """Drop the shared objects: in a forked child, whose parent may have held a lock, and after the endpoint changed."""
    shared.cache_clear()
    shared_client.cache_clear()
