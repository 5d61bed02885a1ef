"""Publishing tasks to a dead-letter queue, from where a redrive runs them."""

from typing import Any

from celery import Task
from kombu import Exchange, Queue
from kombu.exceptions import OperationalError

from messaging.task_publisher import REPRS, SqsUnavailable
from waproject.queues import LANES, dead_letter_name
from waproject.sqs.wire import SqsError


def publish_dead_letter(lane: str, task: "Task[Any, Any]", *args: Any) -> None:
    """Send one task to a lane's dead-letter queue. Raises SqsUnavailable."""
    name = dead_letter_name(LANES[lane])
    try:
        task.apply_async(args, queue=Queue(name, Exchange(""), routing_key=name), **REPRS)
    except (SqsError, OperationalError) as error:
        raise SqsUnavailable(str(error)) from error
