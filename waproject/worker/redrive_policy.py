"""The comparison of each queue's redrive policy on SQS with the queue table.

It is asked for by `manage.py check --deploy` and by each worker as it starts; a wrong one is a warning in words. That
SQS does not answer says nothing about its queues, and stops nobody.
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
    """What is wrong with a queue's policy and what to do, in words; empty when it is as it should be."""
    dlq = lane.dlq_url.rsplit("/", 1)[-1]
    if policy is None:
        return (
            f"The queue {lane.name!r} has no RedrivePolicy: what always fails is tried until SQS forgets it. "
            f"Set one with the dead-letter queue {dlq} and maxReceiveCount {lane.max_receives}."
        )
    if policy.dead_letter_queue != dlq:
        return (
            f"The RedrivePolicy of the queue {lane.name!r} moves messages to {policy.dead_letter_queue}, where nobody "
            f"looks: make it {dlq}, or SQS_{lane.name.upper()}_DLQ_URL the other one."
        )
    if policy.max_receives != lane.max_receives:
        return (
            f"The RedrivePolicy of the queue {lane.name!r} gives up after {policy.max_receives} receives; its back-off "
            f"is made for {lane.max_receives}, which outlast an outage of an hour. Set maxReceiveCount to that."
        )
    return ""


def faults(lanes: Collection[Lane]) -> list[str]:
    """Of these queues, as far as SQS tells their policies now."""
    found = []
    for lane in lanes:
        try:
            policy = control.redrive_policy(control.client(settings.AWS_REGION), lane.url)
        except (BotoCoreError, ClientError) as error:
            logger.info("the RedrivePolicy of queue %s could not be read: %s", lane.name, type(error).__name__)
            continue
        found.append(fault(lane, policy))
    return [words for words in found if words]


def warn_soon(lane_name: str) -> None:
    """Log what is wrong with a lane's queue, in a thread: nobody waits for SQS to start."""

    def warn() -> None:
        for words in faults([LANES[lane_name]]):
            logger.warning(words)

    threading.Thread(target=warn, name="redrive-policy", daemon=True).start()
