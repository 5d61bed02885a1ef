"""`GET /messaging/queue/status`."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from messaging.access import ANY_STAFF
from monitoring.queue_depth import SqsUnavailable, counts, lane_depths
from waproject.web.api import errors
from waproject.web.api.views import StrictQueries

TIMEOUT_S = 2.0


def unavailable(error: SqsUnavailable) -> Response:
    """The 503 with Retry-After while SQS does not answer."""
    return errors.unavailable(f"SQS does not answer: {error}.")


class QueueStatusView(StrictQueries):
    """`GET /messaging/queue/status`."""

    staff_permissions = {"GET": ANY_STAFF}

    @extend_schema(responses={200: OpenApiTypes.OBJECT, 503: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """Each lane's waiting, in-flight and delayed messages, and those on its DLQ; 503 if SQS does not answer."""
        try:
            depths_by_lane = lane_depths(TIMEOUT_S)
        except SqsUnavailable as error:
            return unavailable(error)
        return Response({"queues": {lane: counts(*depths) for lane, depths in depths_by_lane.items()}})
