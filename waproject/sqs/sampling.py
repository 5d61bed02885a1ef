"""Sampling: receives messages of a queue, reads them, and makes them visible again.

SQS has no way to read messages without receiving them: each sample raises their receive counts.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from waproject.sqs import control, request_observer
from waproject.sqs.wire import MAX_BATCH_ENTRIES

MAX_SAMPLED = 200
# The visibility timeout of sampled messages: they return this soon even if the process is killed.
HIDE_S = 10
# Sampling ends well before the first message becomes visible again.
SAMPLING_S = 5.0
# 200 messages may have 200 MiB.
MAX_SAMPLED_BYTES = 32 * 1024 * 1024
LONG_POLL_S = 1


@dataclass(frozen=True, slots=True)
class SampledMessage:
    """One message from SQS; `attributes` and `system_attributes` in the form of SendMessage's parameters."""

    message_id: str
    handle: str
    body: str
    sent_at: datetime
    first_received_at: datetime
    receive_count: int
    attributes: Mapping[str, Any] = field(default_factory=dict)
    system_attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sample:
    """Sampled messages, oldest first, and the queue's approximate depth."""

    messages: list[SampledMessage]
    depth: control.Depth


def sample(sqs: Any, url: str, limit: int = MAX_SAMPLED) -> Sample:
    """Up to `limit` messages, hidden for at most ten seconds and released before this returns.

    Raises botocore's ClientError or BotoCoreError.
    """
    depth = control.depth(sqs, url)
    seen: dict[str, SampledMessage] = {}
    size, until = 0, time.monotonic() + SAMPLING_S
    try:
        # The depth is approximate: make one request even if it is 0.
        while not seen or (
            len(seen) < min(limit, depth.waiting) and size < MAX_SAMPLED_BYTES and time.monotonic() < until
        ):
            received = receive(sqs, url, hide_s=HIDE_S, limit=limit - len(seen))
            if not received:
                break
            seen.update((message.message_id, message) for message in received)
            size += sum(len(message.body) for message in received)
    finally:
        release(sqs, url, [message.handle for message in seen.values()])
    return Sample(sorted(seen.values(), key=lambda message: (message.sent_at, message.message_id)), depth)


def receive(sqs: Any, url: str, *, hide_s: int, limit: int = MAX_BATCH_ENTRIES) -> list[SampledMessage]:
    """Up to ten messages, hidden for `hide_s` seconds; none if a long poll of one second returned none."""
    _count(url, "ReceiveMessage")
    answer = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=min(limit, MAX_BATCH_ENTRIES),
        VisibilityTimeout=hide_s,
        WaitTimeSeconds=LONG_POLL_S,
        AttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    return [_seen(message) for message in answer.get("Messages", [])]


def release(sqs: Any, url: str, handles: Sequence[str]) -> None:
    """Set the visibility timeout of messages to 0. Where that fails they stay hidden until their timeout."""
    for start in range(0, len(handles), MAX_BATCH_ENTRIES):
        batch = handles[start : start + MAX_BATCH_ENTRIES]
        entries = [{"Id": str(n), "ReceiptHandle": handle, "VisibilityTimeout": 0} for n, handle in enumerate(batch)]
        with suppress(ClientError, BotoCoreError):
            _count(url, "ChangeMessageVisibilityBatch")
            sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)


def delete(sqs: Any, url: str, messages: Sequence[SampledMessage]) -> list[SampledMessage]:
    """Delete at most ten messages; returns those that SQS deleted."""
    if not messages:
        return []
    _count(url, "DeleteMessageBatch")
    entries = [{"Id": str(n), "ReceiptHandle": message.handle} for n, message in enumerate(messages)]
    answer = sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    return [messages[int(entry["Id"])] for entry in answer.get("Successful", [])]


def _count(url: str, action: str) -> None:
    request_observer.requested(url, action)


def _seen(message: Mapping[str, Any]) -> SampledMessage:
    about = message.get("Attributes") or {}
    sent = _time(about.get("SentTimestamp"))
    trace = about.get("AWSTraceHeader")
    return SampledMessage(
        message_id=str(message["MessageId"]),
        handle=str(message["ReceiptHandle"]),
        body=str(message.get("Body", "")),
        sent_at=sent,
        first_received_at=_time(about.get("ApproximateFirstReceiveTimestamp")),
        receive_count=int(about.get("ApproximateReceiveCount") or 0),
        attributes={
            name: {key: value[key] for key in ("DataType", "StringValue", "BinaryValue") if value.get(key)}
            for name, value in (message.get("MessageAttributes") or {}).items()
        },
        system_attributes={"AWSTraceHeader": {"DataType": "String", "StringValue": trace}} if trace else {},
    )


def _time(milliseconds: object) -> datetime:
    return datetime.fromtimestamp(int(str(milliseconds or 0)) / 1000, UTC)
