"""Comparison of each queue's redrive policy on SQS with the queue table.

`manage.py check --deploy` and each starting worker run it; a difference is a warning. If SQS does not answer, the check
is skipped.
"""

import logging
import threading
from collections.abc import Collection

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from waproject.queues import LANES, Lane
from waproject.sqs import control
from waproject.sqs.control import RedrivePolicy

logger = logging.getLogger(__name__)


def fault(lane: Lane, policy: RedrivePolicy | None) -> str:
    """What is wrong with a queue's policy and how to correct it; empty if it is right."""
    dlq = lane.dlq_url.rsplit("/", 1)[-1]
    if policy is None:
        return (
            f"The queue {lane.name!r} has no RedrivePolicy: failing messages are retried until their retention ends. "
            f"Set one with the dead-letter queue {dlq} and maxReceiveCount {lane.max_receives}."
        )
    if policy.dead_letter_queue != dlq:
        return (
            f"The RedrivePolicy of the queue {lane.name!r} moves messages to {policy.dead_letter_queue}, which nothing "
            f"monitors: change it to {dlq}, or set SQS_{lane.name.upper()}_DLQ_URL to the other one."
        )
    if policy.max_receives != lane.max_receives:
        return (
            f"The RedrivePolicy of the queue {lane.name!r} has maxReceiveCount {policy.max_receives}, but its back-off "
            f"needs {lane.max_receives} to outlast an outage of an hour. Set maxReceiveCount to {lane.max_receives}."
        )
    return ""


def faults(lanes: Collection[Lane]) -> list[str]:
    """The faults of these queues' policies; queues for which SQS does not answer are skipped."""
    found = []
    for lane in lanes:
        try:
            policy = control.redrive_policy(control.client(settings.AWS_REGION), lane.url)
        except (BotoCoreError, ClientError) as error:
            logger.info("the RedrivePolicy of queue %s could not be read: %s", lane.name, type(error).__name__)
            continue
        found.append(fault(lane, policy))
    return [warning for warning in found if warning]


def warn_in_background(lane_name: str) -> None:
    """Log the faults of a lane's policy in a thread, so that the start does not wait for SQS."""

    def warn() -> None:
        for warning in faults([LANES[lane_name]]):
            logger.warning(warning)

    threading.Thread(target=warn, name="redrive-policy", daemon=True).start()
