"""Putting tasks on SQS: one attempt with a deadline, and a breaker so that nobody waits for an SQS that is away."""

import logging
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from celery import Task
from kombu.exceptions import OperationalError

from waproject.sqs.breaker import Breaker

logger = logging.getLogger(__name__)

# Events and logs carry these in the place of the arguments, which hold texts and phone numbers.
REPRS: dict[str, Any] = {"argsrepr": "(…)", "kwargsrepr": "{}"}
# Half open each second: one caller tries, the others go on without SQS.
_breaker = Breaker(retry_after_s=1.0)


class SqsAway(Exception):
    """SQS did not take a task within the deadline. It may have taken it all the same: tasks are idempotent."""


def publish(task: "Task[Any, Any]", *args: Any) -> None:
    """Send one task. Raises SqsAway, at once while the breaker is open."""
    if not _breaker.allows():
        raise SqsAway("SQS was away less than a second ago.")
    try:
        task.apply_async(args, **REPRS)
    except (OperationalError, BotoCoreError, ClientError, OSError) as error:
        if _breaker.failed():
            logger.warning("sqs is away: %s", type(error).__name__)
        raise SqsAway(type(error).__name__) from error
    if _breaker.succeeded():
        logger.warning("sqs is back")
