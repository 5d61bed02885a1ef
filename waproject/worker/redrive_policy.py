"""Comparison of each queue's redrive policy on SQS with the queue table.

A process does not start without the policy of a queue that it uses: there, a task that always fails would be received
until the message's retention ends, and then be lost. Any other difference is a warning, of a starting worker and of
`manage.py check --deploy`. If SQS does not answer, the check is skipped.
"""

import logging
from collections.abc import Collection, Iterator, Mapping

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from waproject.queues import LANES, Lane
from waproject.sqs import control
from waproject.sqs.control import RedrivePolicy

logger = logging.getLogger(__name__)

# The queues that each process of the Procfile sends to, receives from or shows. deliver uses none.
USED: Mapping[str, Collection[str]] = {
    "web": LANES,
    **{lane: (lane,) for lane in LANES},
    "dispatcher": ("incoming", "outgoing"),
    "monitor": LANES,
    "beat": ("analytics",),
    "flower": LANES,
}


def fault(lane: Lane, policy: RedrivePolicy | None) -> str:
    """What is wrong with a queue's policy and how to correct it; empty if it is right."""
    dlq = lane.dlq_url.rsplit("/", 1)[-1]
    if policy is None:
        return (
            f"The queue {lane.url.rsplit('/', 1)[-1]} has no RedrivePolicy, so a task that always fails would be lost: "
            f"set one with the dead-letter queue {dlq} and maxReceiveCount {lane.max_receives} (docs/deploy.md)."
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
    return [warning for lane, policy in _policies(lanes) if (warning := fault(lane, policy))]


def refuse_queues_without_dlq(process: str) -> None:
    """Raise ImproperlyConfigured if a queue that this process uses has no RedrivePolicy; a worker logs other faults."""
    found = list(_policies([LANES[name] for name in USED.get(process, ())]))
    if missing := [fault(lane, policy) for lane, policy in found if policy is None]:
        raise ImproperlyConfigured("\n".join(missing))
    if process in LANES:
        for warning in (fault(lane, policy) for lane, policy in found):
            if warning:
                logger.warning(warning)


def _policies(lanes: Collection[Lane]) -> Iterator[tuple[Lane, RedrivePolicy | None]]:
    for lane in lanes:
        try:
            policy = control.redrive_policy(control.client(settings.AWS_REGION), lane.url)
        except ClientError as error:
            logger.info("the RedrivePolicy of queue %s could not be read: %s", lane.name, type(error).__name__)
        except BotoCoreError as error:
            # SQS itself does not answer: a request for the next queue would take as long again.
            logger.info("the RedrivePolicy of queue %s could not be read: %s", lane.name, type(error).__name__)
            return
        else:
            yield lane, policy
