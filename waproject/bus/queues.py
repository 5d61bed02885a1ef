"""Queues of the bus: created on demand, found by prefix, deleted when their owner is gone."""

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

# Nobody wants older ones. SQS's own least is 60 s.
EVENTS_KEPT_S = 300
COMMANDS_KEPT_S = 60
TIMEOUT_S = 5.0
# A queue without an owner is left alone for so long: its owner may be about to say that it lives.
ORPHANED_AFTER_S = 300.0
# Flower's replies have one fixed queue, which a killed Flower's successor uses again.
FLOWER = "flower"


def bus() -> Addresses:
    """The bus of the settings. Raises ImproperlyConfigured where it is off."""
    if not settings.SQS_MONITOR_QUEUE_URL:
        raise ImproperlyConfigured(
            "Flower and celery inspect need the monitor bus, which is off: set SQS_MONITOR_QUEUE_URL (docs/flower.md)."
        )
    return Addresses(settings.SQS_MONITOR_QUEUE_URL)


def create(url: str, kept: int) -> None:
    """Make a queue whose messages are kept for so many seconds, unless it exists. Raises botocore's errors.

    One that was made with other attributes is its maker's business, and used as it is.
    """
    try:
        _sqs().create_queue(QueueName=queue_name(url), Attributes={"MessageRetentionPeriod": str(kept)})
    except ClientError as error:
        if code_of(error) not in {"QueueAlreadyExists", "QueueNameExists"}:
            raise


def delete(url: str) -> None:
    """Take a queue away; it is no error when it is gone. Raises botocore's errors."""
    try:
        _sqs().delete_queue(QueueUrl=url)
    except ClientError as error:
        if not is_missing(code_of(error)):
            raise


def delete_quietly(url: str) -> None:
    """At a process's end: what cannot be deleted now is swept later."""
    with contextlib.suppress(ClientError, BotoCoreError):
        delete(url)


def names(prefix: str) -> list[str]:
    """The names of the queues that begin so, without an order. Raises botocore's errors."""
    pages = _sqs().get_paginator("list_queues").paginate(QueueNamePrefix=prefix, PaginationConfig={"PageSize": 1000})
    return [queue_name(url) for page in pages for url in page.get("QueueUrls", ())]


def sweep(bus: Addresses, living: Collection[str], orphaned_after: float = ORPHANED_AFTER_S) -> list[str]:
    """Delete the queues of nodes that are not among the `living` names, and of askers that never cleaned up.

    Which queues those were. One that was taken from under a worker by mistake is made again by it (mail.listen).
    """
    owned = {queue_name(bus.node(name)) for name in living} | {queue_name(bus.replies(FLOWER))}
    there = [*names(bus.nodes_prefix), *names(bus.replies_prefix)]
    gone = [name for name in there if name not in owned and _age(bus.named(name)) >= orphaned_after]
    for name in gone:
        delete(bus.named(name))
        logger.info("bus: the queue %s had no owner any more and was deleted", name)
    return gone


def is_missing(code: str) -> bool:
    """Whether SQS said, in any of its dialects, that there is no such queue."""
    return code.endswith(("QueueDoesNotExist", "NonExistentQueue"))


def code_of(error: ClientError | BotoCoreError) -> str:
    """SQS's own word for what went wrong."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return type(error).__name__


def _age(url: str) -> float:
    """Seconds since the queue was made; of one that is just being deleted, none."""
    try:
        answer = _sqs().get_queue_attributes(QueueUrl=url, AttributeNames=["CreatedTimestamp"])
    except ClientError as error:
        if is_missing(code_of(error)):
            return 0.0
        raise
    return time.time() - float(answer["Attributes"]["CreatedTimestamp"])


def _sqs() -> Any:
    return control.client(settings.AWS_REGION, TIMEOUT_S)
