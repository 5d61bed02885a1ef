"""`manage.py create_queues`: creates the six local queues. In production CloudFormation creates them."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from waproject.queues import LANES
from waproject.sqs import control


class Command(BaseCommand):
    """Creates missing queues and sets the attributes of existing ones."""

    help = "Local only: create each lane's queue and dead-letter queue from waproject/queues.py."

    def handle(self, *args: Any, **options: Any) -> None:
        """Create them. Raises CommandError outside DEPLOYMENT=local."""
        if not settings.LOCAL:
            raise CommandError(
                "create_queues works only with DEPLOYMENT=local; deploy/ has the CloudFormation template."
            )
        sqs = control.client(settings.AWS_REGION)
        for lane in LANES.values():
            control.create_with_dlq(
                sqs,
                lane.url,
                lane.dlq_url,
                visibility_timeout=lane.visibility_timeout,
                max_receives=lane.max_receives,
            )
