"""How full the three lanes are."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from waproject.queues import LANES
from waproject.sqs import control

RETRY_AFTER_S = 5


class QueueStatusView(APIView):
    """`GET /messaging/queue/status`."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT, 503: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """Each lane's waiting, in-flight and delayed messages, and what lies in its DLQ; 503 when SQS is away."""
        try:
            return Response({"queues": queue_status()})
        except (BotoCoreError, ClientError) as error:
            detail = {"detail": f"SQS does not answer: {type(error).__name__}."}
            return Response(detail, status=503, headers={"Retry-After": str(RETRY_AFTER_S)})


def queue_status() -> dict[str, dict[str, int]]:
    """Counts by lane, asked for in parallel; approximate, as all counts of SQS are. Raises botocore's errors."""
    sqs = control.client(settings.AWS_REGION)
    urls = [url for lane in LANES.values() for url in (lane.url, lane.dlq_url)]
    with ThreadPoolExecutor(len(urls)) as pool:
        depths = list(pool.map(lambda url: control.depth(sqs, url), urls))
    return {name: _counts(queue, dlq) for name, queue, dlq in zip(LANES, depths[::2], depths[1::2], strict=True)}


def _counts(queue: control.Depth, dlq: control.Depth) -> dict[str, Any]:
    return {"waiting": queue.waiting, "in_flight": queue.in_flight, "delayed": queue.delayed, "dlq": dlq.total}
