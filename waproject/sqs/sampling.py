"""Sampling: messages of a queue received, hidden for seconds, and returned.

SQS has no way to look that does not receive: each look raises the receive count of what it saw.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from waproject.sqs import control, observing
from waproject.sqs.wire import MAX_BATCH_ENTRIES

MOST_SAMPLED = 200
# What is looked at comes back this soon, even if whoever looks is killed.
HIDE_S = 10
# A look ends well before the first message that it saw shows again.
LOOK_S = 5.0
# 200 messages may hold 200 MiB.
MOST_BYTES = 32 * 1024 * 1024
LONG_POLL_S = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """One message as SQS gave it; `attributes` as SendMessage takes them."""

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
    """What a look saw, the message that was sent first at the top, and how many are there, approximately."""

    messages: list[Seen]
    depth: control.Depth


def sample(sqs: Any, url: str, most: int = MOST_SAMPLED) -> Sample:
    """Up to `most` messages, hidden from others for at most ten seconds and given back before this returns.

    Raises botocore's ClientError or BotoCoreError when SQS does not answer.
    """
    depth = control.depth(sqs, url)
    seen: dict[str, Seen] = {}
    size, until = 0, time.monotonic() + LOOK_S
    try:
        # The count is approximate: one receive is made even where it says that there is nothing.
        while not seen or (len(seen) < min(most, depth.waiting) and size < MOST_BYTES and time.monotonic() < until):
            received = receive(sqs, url, hide_s=HIDE_S, most=most - len(seen))
            if not received:
                break
            seen.update((message.message_id, message) for message in received)
            size += sum(len(message.body) for message in received)
    finally:
        give_back(sqs, url, [message.handle for message in seen.values()])
    return Sample(sorted(seen.values(), key=lambda message: (message.sent_at, message.message_id)), depth)


def receive(sqs: Any, url: str, *, hide_s: int, most: int = MAX_BATCH_ENTRIES) -> list[Seen]:
    """Up to ten messages, hidden for `hide_s` seconds; none where a long poll of a second found none."""
    _count(url, "ReceiveMessage")
    answer = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=min(most, MAX_BATCH_ENTRIES),
        VisibilityTimeout=hide_s,
        WaitTimeSeconds=LONG_POLL_S,
        AttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    return [_seen(message) for message in answer.get("Messages", [])]


def give_back(sqs: Any, url: str, handles: Sequence[str]) -> None:
    """Show messages again at once. Where SQS does not take it, they show when their time is over."""
    for start in range(0, len(handles), MAX_BATCH_ENTRIES):
        batch = handles[start : start + MAX_BATCH_ENTRIES]
        entries = [{"Id": str(n), "ReceiptHandle": handle, "VisibilityTimeout": 0} for n, handle in enumerate(batch)]
        with suppress(ClientError, BotoCoreError):
            _count(url, "ChangeMessageVisibilityBatch")
            sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)


def delete(sqs: Any, url: str, messages: Sequence[Seen]) -> list[Seen]:
    """Delete at most ten; returns those that SQS says are gone."""
    if not messages:
        return []
    _count(url, "DeleteMessageBatch")
    entries = [{"Id": str(n), "ReceiptHandle": message.handle} for n, message in enumerate(messages)]
    answer = sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    return [messages[int(entry["Id"])] for entry in answer.get("Successful", [])]


def _count(url: str, action: str) -> None:
    observing.requested(url, action)


def _seen(message: Mapping[str, Any]) -> Seen:
    about = message.get("Attributes") or {}
    sent = _time(about.get("SentTimestamp"))
    trace = about.get("AWSTraceHeader")
    return Seen(
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
