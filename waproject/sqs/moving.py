"""Moving messages from one queue to another, or away: SQS's own move where it has one, else a bounded one of ours.

Ours receives, sends and then deletes, so that a process which is killed can only double a message and never lose one.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from waproject.sqs import envelope, observing
from waproject.sqs.sampling import Seen, delete, give_back, receive
from waproject.sqs.wire import MAX_BATCH_BYTES, MAX_BATCH_ENTRIES

# What a killed process was about to move shows again this soon.
HIDE_S = 20
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
MOST_PER_SECOND = 500


@dataclass(slots=True)
class Step:
    """What one step did: ids that were moved or deleted, and those that SQS refused.

    `drained` when the queue showed no more messages.
    """

    done: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    drained: bool = False


@dataclass(frozen=True, slots=True)
class MoveTask:
    """SQS's own move. status: RUNNING, COMPLETED, CANCELLING, CANCELLED or FAILED; the handle only while it runs."""

    status: str
    handle: str
    moved: int
    reason: str


def step(
    sqs: Any,
    source: str,
    target: str | None,
    *,
    wanted: Callable[[Seen], bool],
    before: Callable[[Sequence[Seen]], None],
    per_second: float,
    most: int,
    seconds: float,
) -> Step:
    """Move some `most` of the wanted messages to `target`, or delete them when there is none, at this pace.

    A batch has ten, so it may be a few more than `most`. The others stay hidden while this looks, for `seconds` at
    most, so that it sees each once, and are given back. `before` is told of each batch before anything is done with it.
    Raises botocore's ClientError or BotoCoreError when nothing could be done; what was done before one is returned.
    """
    made, others = Step(), list[Seen]()
    begun = time.monotonic()
    try:
        while len(made.done) < most and time.monotonic() - begun < seconds:
            received = receive(sqs, source, hide_s=HIDE_S)
            if not received:
                made.drained = True
                break
            batch = [message for message in received if wanted(message)]
            others += [message for message in received if not wanted(message)]
            if batch:
                before(batch)
                taken = batch if target is None else send_again(sqs, target, batch)
                refused = [message for message in batch if message not in taken]
                others += refused
                made.refused += [message.message_id for message in refused]
                made.done += [message.message_id for message in delete(sqs, source, taken)]
                time.sleep(max(0.0, begun + len(made.done) / per_second - time.monotonic()))
    except (ClientError, BotoCoreError):
        if not made.done:
            raise
    finally:
        give_back(sqs, source, [message.handle for message in others])
    return made


def send_again(sqs: Any, url: str, messages: Sequence[Seen]) -> list[Seen]:
    """Send copies with their attributes, as if they had never been tried; returns those that SQS took."""
    taken: list[Seen] = []
    for batch in _batches(messages):
        observing.requested(url, "SendMessageBatch")
        entries = [
            {
                "Id": str(n),
                "MessageBody": body,
                **({"MessageAttributes": dict(message.attributes)} if message.attributes else {}),
                **({"MessageSystemAttributes": dict(message.system_attributes)} if message.system_attributes else {}),
            }
            for n, (message, body) in enumerate(batch)
        ]
        answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
        taken += [batch[int(entry["Id"])][0] for entry in answer.get("Successful", [])]
    return taken


def _batches(messages: Sequence[Seen]) -> Iterator[list[tuple[Seen, str]]]:
    """At most ten and 1 MiB each, which is also the most that one message may have."""
    batch: list[tuple[Seen, str]] = []
    size = 0
    for message in messages:
        body = envelope.untried(message.body)
        weight = len(body.encode()) + sum(
            len(name) + sum(len(value) for value in values.values()) for name, values in message.attributes.items()
        )
        if batch and (len(batch) == MAX_BATCH_ENTRIES or size + weight > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((message, body))
        size += weight
    if batch:
        yield batch


def start_move_task(sqs: Any, source_arn: str, target_arn: str, per_second: float) -> bool:
    """Let SQS move everything by itself; False where it does not offer that, or does not let us.

    A move that is under way already is left to go on.
    """
    pace = max(1, min(MOST_PER_SECOND, int(per_second)))
    try:
        running = move_task(sqs, source_arn)
        if running is not None and running.status == "RUNNING":
            return True
        sqs.start_message_move_task(SourceArn=source_arn, DestinationArn=target_arn, MaxNumberOfMessagesPerSecond=pace)
    except ClientError:  # an unknown action, or no permission for it; whatever else is wrong, our own move tells
        return False
    return True


def move_task(sqs: Any, source_arn: str) -> MoveTask | None:
    """SQS's latest move of this queue. Raises botocore's ClientError or BotoCoreError."""
    results = sqs.list_message_move_tasks(SourceArn=source_arn, MaxResults=1).get("Results") or []
    if not results:
        return None
    latest = results[0]
    return MoveTask(
        str(latest.get("Status", "")),
        str(latest.get("TaskHandle", "")),
        int(latest.get("ApproximateNumberOfMessagesMoved") or 0),
        str(latest.get("FailureReason", "")),
    )


def cancel_move_task(sqs: Any, source_arn: str) -> None:
    """Stop SQS's own move, if it runs."""
    try:
        running = move_task(sqs, source_arn)
        if running is not None and running.handle:
            sqs.cancel_message_move_task(TaskHandle=running.handle)
    except (ClientError, BotoCoreError):  # it was over meanwhile
        return
