"""A look at the incoming lane's queues, for the question whether a status that is missing may still come."""

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from messaging import services
from waproject.queues import LANES
from waproject.sqs import control


def look_at_incoming() -> services.IncomingEvidence | None:
    """What is known now; None where SQS does not answer, and nobody can tell."""
    lane = LANES["incoming"]
    sqs = control.client(settings.AWS_REGION)
    try:
        queue, dead_letters = control.depth(sqs, lane.url), control.depth(sqs, lane.dlq_url)
    except (BotoCoreError, ClientError):
        return None
    return services.evidence(queue.total, dead_letters.total)
