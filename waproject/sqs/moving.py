"""Moving messages to another queue, or deleting them: by SQS's message move task if possible, else in bounded steps.

A step receives, sends and then deletes, so that killing the process may double a message but never lose one.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from waproject.sqs import envelope, request_observer
from waproject.sqs.sampling import SampledMessage, delete, receive, release
from waproject.sqs.wire import MAX_BATCH_BYTES, MAX_BATCH_ENTRIES

# Messages that a killed process was about to move become visible again after this time.
HIDE_S = 20
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
MAX_MOVES_PER_SECOND = 500


@dataclass(slots=True)
class Step:
    """The result of one step: ids of messages that were moved or deleted, and of those that SQS refused.

    `drained`: the queue had no more visible messages. `wait_s`: until the pace allows the next step.
    """

    done: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    drained: bool = False
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class MoveTask:
    """SQS's message move task. status: RUNNING, COMPLETED, CANCELLING, CANCELLED or FAILED; `handle` while it runs."""

    status: str
    handle: str
    moved: int
    reason: str


def step(
    sqs: Any,
    source: str,
    target: str | None,
    *,
    wanted: Callable[[SampledMessage], bool],
    before: Callable[[Sequence[SampledMessage]], None],
    per_second: float,
    limit: int,
    seconds: float,
) -> Step:
    """Move about `limit` of the wanted messages to `target` at this pace; without a target, delete them.

    Batches have ten messages, so a step may move a few more than `limit`; what the pace then asks for beyond `seconds`
    is in `wait_s`. Unwanted messages stay hidden during the step, for at most `seconds`, so that each is received once;
    then they are released. `before` is called with each batch before it is moved. Raises botocore's ClientError or
    BotoCoreError if nothing was moved before the error.
    """
    made, others = Step(), list[SampledMessage]()
    begun = time.monotonic()
    try:
        while len(made.done) < limit and time.monotonic() - begun < seconds:
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
                pause = max(0.0, begun + len(made.done) / per_second - time.monotonic())
                left = max(0.0, begun + seconds - time.monotonic())
                made.wait_s = max(0.0, pause - left)
                time.sleep(min(pause, left))
    except (ClientError, BotoCoreError):
        if not made.done:
            raise
    finally:
        release(sqs, source, [message.handle for message in others])
    return made


def send_again(sqs: Any, url: str, messages: Sequence[SampledMessage]) -> list[SampledMessage]:
    """Send copies with their attributes and without their retries; returns those that SQS accepted.

    Raises botocore's ClientError or BotoCoreError if no request before the error was answered.
    """
    taken: list[SampledMessage] = []
    for batch in _batches(messages):
        request_observer.requested(url, "SendMessageBatch")
        entries = [
            {
                "Id": str(n),
                "MessageBody": body,
                **({"MessageAttributes": dict(message.attributes)} if message.attributes else {}),
                **({"MessageSystemAttributes": dict(message.system_attributes)} if message.system_attributes else {}),
            }
            for n, (message, body) in enumerate(batch)
        ]
        try:
            answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
        except (ClientError, BotoCoreError):
            if not taken:
                raise
            break  # what was sent has to be deleted, or it would be sent again
        taken += [batch[int(entry["Id"])][0] for entry in answer.get("Successful", [])]
    return taken


def _batches(messages: Sequence[SampledMessage]) -> Iterator[list[tuple[SampledMessage, str]]]:
    """Batches of at most ten messages and 1 MiB, which is also the largest size of one message."""
    batch: list[tuple[SampledMessage, str]] = []
    size = 0
    for message in messages:
        body = envelope.without_retries(message.body)
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
    """Start SQS's own message move task, unless one runs already; False if it is unsupported or not permitted."""
    pace = max(1, min(MAX_MOVES_PER_SECOND, int(per_second)))
    try:
        running = move_task(sqs, source_arn)
        if running is not None and running.status == "RUNNING":
            return True
        sqs.start_message_move_task(SourceArn=source_arn, DestinationArn=target_arn, MaxNumberOfMessagesPerSecond=pace)
    except ClientError:  # an unknown action or no permission; the step-by-step move reports any other fault
        return False
    return True


def move_task(sqs: Any, source_arn: str) -> MoveTask | None:
    """The queue's latest message move task. Raises botocore's ClientError or BotoCoreError."""
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
    """Cancel the queue's message move task, if one runs.

    Raises botocore's ClientError or BotoCoreError if it may still run.
    """
    task = move_task(sqs, source_arn)
    if task is None or not task.handle:
        return
    try:
        sqs.cancel_message_move_task(TaskHandle=task.handle)
    except ClientError:
        task = move_task(sqs, source_arn)
        if task is not None and task.status == "RUNNING":
            raise  # it has not ended meanwhile
