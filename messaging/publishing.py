"""Putting tasks on SQS: within a deadline, together with others, and without waiting for an SQS that is away."""

import logging
from collections.abc import Sequence
from typing import Any

from celery import Task
from django.conf import settings
from kombu.exceptions import OperationalError

from waproject.sqs import publisher
from waproject.sqs.transport import collected
from waproject.sqs.wire import SqsError

logger = logging.getLogger(__name__)

# Events and logs carry these in the place of the arguments, which hold texts and phone numbers.
REPRS: dict[str, Any] = {"argsrepr": "(…)", "kwargsrepr": "{}"}


class SqsAway(Exception):
    """SQS did not take a task within the deadline. It may have taken it all the same: tasks are idempotent."""


def publish(task: "Task[Any, Any]", *args: Any) -> None:
    """Send one task. Raises SqsAway, at once while SQS is known to be away."""
    try:
        task.apply_async(args, **REPRS)
    except (SqsError, OperationalError) as error:
        raise SqsAway(str(error)) from error


def publish_many(task: "Task[Any, Any]", calls: Sequence[tuple[Any, ...]]) -> list[bool]:
    """Send one task for each tuple of arguments, ten to a request; whether SQS took each, in their order."""
    with collected() as messages:
        for args in calls:
            task.apply_async(args, **REPRS)
    return [error is None for error in publisher.shared(settings.AWS_REGION).send_many(messages)]
