"""Queue attributes: counts, redrive policies, creation."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from waproject.sqs import access_denied, request_observer

# SQS retains a message for at most 14 days. A DLQ counts from the original send, so its retention must exceed that of
# its source queue, which is 4 days.
QUEUE_RETENTION_S = 4 * 24 * 3600
DLQ_RETENTION_S = 14 * 24 * 3600
MAX_MESSAGE_BYTES = 1024 * 1024
COUNTS = {
    "ApproximateNumberOfMessages": "waiting",
    "ApproximateNumberOfMessagesNotVisible": "in_flight",
    "ApproximateNumberOfMessagesDelayed": "delayed",
}


@dataclass(frozen=True, slots=True)
class Depth:
    """A queue's approximate message counts."""

    waiting: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        """All messages of the queue."""
        return self.waiting + self.in_flight + self.delayed


@dataclass(frozen=True, slots=True)
class RedrivePolicy:
    """A queue's redrive policy: the name of its dead-letter queue, and maxReceiveCount."""

    dead_letter_queue: str
    max_receives: int


@cache
def client(region: str, timeout: float = 2.0) -> Any:
    """A boto3 SQS client for queue administration, without retries. boto3 clients are thread-safe."""
    config = Config(connect_timeout=timeout, read_timeout=timeout, retries={"total_max_attempts": 1})
    made = boto3.session.Session(region_name=region).client("sqs", config=config)
    access_denied.watch(made)
    return made


def depth(sqs: Any, url: str) -> Depth:
    """A queue's counts. Raises botocore's ClientError or BotoCoreError."""
    request_observer.requested(url, "GetQueueAttributes")
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(COUNTS))["Attributes"]
    return Depth(**{field: int(attributes.get(name, 0)) for name, field in COUNTS.items()})


def redrive_policy(sqs: Any, url: str) -> RedrivePolicy | None:
    """A queue's redrive policy, or None. Raises botocore's ClientError or BotoCoreError."""
    request_observer.requested(url, "GetQueueAttributes")
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"]).get("Attributes") or {}
    policy = json.loads(attributes.get("RedrivePolicy") or "{}")
    if not policy.get("deadLetterTargetArn"):
        return None
    return RedrivePolicy(policy["deadLetterTargetArn"].rpartition(":")[2], int(policy.get("maxReceiveCount") or 0))


def create_with_dlq(sqs: Any, url: str, dlq_url: str, *, visibility_timeout: int, max_receives: int) -> None:
    """Create a queue and its dead-letter queue, or bring the attributes of existing ones up to date."""
    dlq_arn = _create(sqs, dlq_url, {"MessageRetentionPeriod": str(DLQ_RETENTION_S)})
    redrive = json.dumps({"deadLetterTargetArn": dlq_arn, "maxReceiveCount": str(max_receives)})
    _create(
        sqs,
        url,
        {
            "VisibilityTimeout": str(visibility_timeout),
            "MessageRetentionPeriod": str(QUEUE_RETENTION_S),
            "RedrivePolicy": redrive,
        },
    )


def _create(sqs: Any, url: str, attributes: dict[str, str]) -> str:
    """Create the queue that the URL names and return its ARN."""
    attributes = {**attributes, "MaximumMessageSize": str(MAX_MESSAGE_BYTES)}
    made = sqs.create_queue(QueueName=url.rsplit("/", 1)[-1])["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=made, Attributes=attributes)
    return arn(sqs, made)


def arn(sqs: Any, url: str) -> str:
    """A queue's ARN. Raises botocore's ClientError or BotoCoreError."""
    request_observer.requested(url, "GetQueueAttributes")
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])
