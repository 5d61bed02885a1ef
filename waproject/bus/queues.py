"""Queues of the bus: created on demand, found by prefix, deleted after their owner has ended."""

import contextlib
import logging
import time
from collections.abc import Collection
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from waproject.bus.addresses import Addresses, queue_name
from waproject.sqs import control

logger = logging.getLogger(__name__)

# Older messages are useless. SQS's minimum retention is 60 s.
EVENTS_KEPT_S = 300
COMMANDS_KEPT_S = 60
TIMEOUT_S = 5.0
# A queue without an owner is kept for this long: its owner may be starting and about to report.
ORPHANED_AFTER_S = 300.0
# Flower has one fixed reply queue, which the next Flower uses again after a kill.
FLOWER = "flower"


def bus() -> Addresses:
    """The configured bus. Raises ImproperlyConfigured if it is off."""
    if not settings.SQS_MONITOR_QUEUE_URL:
        raise ImproperlyConfigured(
            "Flower and celery inspect need the monitor bus, which is off: set SQS_MONITOR_QUEUE_URL (docs/flower.md)."
        )
    return Addresses(settings.SQS_MONITOR_QUEUE_URL)


def create(url: str, kept: int) -> None:
    """Create a queue, with a retention of `kept` seconds, unless it exists. Raises botocore's errors.

    An existing queue with other attributes is used unchanged.
    """
    try:
        _sqs().create_queue(QueueName=queue_name(url), Attributes={"MessageRetentionPeriod": str(kept)})
    except ClientError as error:
        if code_of(error) not in {"QueueAlreadyExists", "QueueNameExists"}:
            raise


def delete(url: str) -> None:
    """Delete a queue if it exists. Raises botocore's errors."""
    try:
        _sqs().delete_queue(QueueUrl=url)
    except ClientError as error:
        if not is_missing(code_of(error)):
            raise


def delete_quietly(url: str) -> None:
    """Delete a queue at the process's exit; a later sweep deletes it if this fails."""
    with contextlib.suppress(ClientError, BotoCoreError):
        delete(url)


def names(prefix: str) -> list[str]:
    """The names of the queues with this prefix, unordered. Raises botocore's errors."""
    pages = _sqs().get_paginator("list_queues").paginate(QueueNamePrefix=prefix, PaginationConfig={"PageSize": 1000})
    return [queue_name(url) for page in pages for url in page.get("QueueUrls", ())]


def sweep(bus: Addresses, living: Collection[str], orphaned_after: float = ORPHANED_AFTER_S) -> list[str]:
    """Delete the queues of nodes whose names are not in `living`, and of askers that did not; returns their names.

    A worker whose queue was deleted by mistake creates it again (`messages.listen`).
    """
    owned = {queue_name(bus.node(name)) for name in living} | {queue_name(bus.replies(FLOWER))}
    there = [*names(bus.nodes_prefix), *names(bus.replies_prefix)]
    gone = [name for name in there if name not in owned and _age(bus.named(name)) >= orphaned_after]
    for name in gone:
        delete(bus.named(name))
        logger.info("bus: deleted the orphaned queue %s", name)
    return gone


def is_missing(code: str) -> bool:
    """Whether an error code means that the queue does not exist, in SQS's query or JSON protocol."""
    return code.endswith(("QueueDoesNotExist", "NonExistentQueue"))


def code_of(error: ClientError | BotoCoreError) -> str:
    """SQS's error code, or the error's class."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return type(error).__name__


def _age(url: str) -> float:
    """Seconds since the queue's creation; 0 if it is being deleted."""
    try:
        answer = _sqs().get_queue_attributes(QueueUrl=url, AttributeNames=["CreatedTimestamp"])
    except ClientError as error:
        if is_missing(code_of(error)):
            return 0.0
        raise
    return time.time() - float(answer["Attributes"]["CreatedTimestamp"])


def _sqs() -> Any:
    return control.client(settings.AWS_REGION, TIMEOUT_S)
