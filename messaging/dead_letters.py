"""Putting a task on its lane's dead-letter queue, from where whoever redrives it gives it to a worker."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from celery import Task
from kombu import Exchange, Queue
from kombu.exceptions import OperationalError

from messaging.publishing import REPRS, SqsAway
from waproject.queues import LANES, dead_letter_name


def publish_dead_letter(lane: str, task: "Task[Any, Any]", *args: Any) -> None:
    """Send one task to a lane's dead-letter queue. Raises SqsAway."""
    name = dead_letter_name(LANES[lane])
    try:
        task.apply_async(args, queue=Queue(name, Exchange(""), routing_key=name), **REPRS)
    except (OperationalError, BotoCoreError, ClientError, OSError) as error:
        raise SqsAway(type(error).__name__) from error
