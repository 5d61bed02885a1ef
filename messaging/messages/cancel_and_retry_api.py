"""`POST /messaging/messages/{id}/cancel` and `/retry`."""

from collections.abc import Callable
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from messaging.access import client_of
from messaging.messages.serializers import MessageSerializer, NotPossibleSerializer
from messaging.models import Message
from messaging.outgoing import NotPossible, cancel, retry
from waproject.web.api.views import StrictQueries

RESPONSES = {
    200: MessageSerializer,
    403: OpenApiResponse(description="The message is another client's."),
    404: OpenApiResponse(description="No message has this id."),
    409: NotPossibleSerializer,
}


class CancelView(StrictQueries):
    """Cancel a message that has not been sent."""

    staff_permissions = {"POST": "messaging.change_message"}
    takes_no_body = True

    @extend_schema(request=None, responses=RESPONSES)
    def post(self, request: Request, pk: UUID) -> Response:
        """The message, `cancelled`. 409 with its status if it is being sent or has ended."""
        return _intervene(request, pk, cancel)


class RetryView(StrictQueries):
    """Send a failed message again."""

    staff_permissions = {"POST": "messaging.change_message"}
    takes_no_body = True

    @extend_schema(request=None, responses=RESPONSES)
    def post(self, request: Request, pk: UUID) -> Response:
        """The message, `pending`, with no attempts counted. 409 with its status unless it is `failed`."""
        return _intervene(request, pk, retry)


def _intervene(request: Request, pk: UUID, act: Callable[[Message, str], Message]) -> Response:
    message = Message.objects.select_related("number", "media").filter(pk=pk).first()
    if message is None:
        raise NotFound("No message has this id.")
    client = client_of(request)
    if client is not None and message.client_id != client.pk:
        raise PermissionDenied("The message is another client's.")
    try:
        return Response(MessageSerializer(act(message, str(request.user))).data)
    except NotPossible as error:
        return Response({"detail": str(error), "status": error.status}, status=409)
