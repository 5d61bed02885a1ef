"""`POST /messaging/messages/{id}/read`: read receipts, with or without a typing indicator."""

from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from messaging.contacts import refusal_of
from messaging.conversations.read_receipts import mark_read
from messaging.conversations.serializers import ReadAnswerSerializer, ReadSerializer
from messaging.messages.serializers import NotPossibleSerializer
from messaging.models import Direction, Message
from messaging.whatsapp.errors import Rejected, WhatsAppError
from waproject.web.api.errors import unavailable
from waproject.web.api.views import StrictQueries


class ReadView(StrictQueries):
    """Show the user that a message was read."""

    staff_permissions = {"POST": "messaging.reply_conversation"}

    @extend_schema(
        request=ReadSerializer,
        responses={
            200: ReadAnswerSerializer,
            404: OpenApiResponse(description="No message has this id."),
            409: OpenApiResponse(
                NotPossibleSerializer, "An outbound message, a blocked contact, or WhatsApp refused the receipt."
            ),
            503: OpenApiResponse(description="WhatsApp did not accept it now; repeat the request."),
        },
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """200 once WhatsApp has accepted it; earlier messages of the user are marked too. Repeating is harmless."""
        given = ReadSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        typing = given.validated_data["typing"]
        message = Message.objects.select_related("number").filter(pk=pk).first()
        if message is None:
            raise NotFound("No message has this id.")
        if message.direction != Direction.INBOUND or message.wamid is None:
            return _refused("Only a user's message can be marked as read.", message)
        if refusal := refusal_of(message):
            return _refused(refusal, message)
        try:
            mark_read(message, typing)
        except Rejected as error:
            return _refused(f"WhatsApp refused it: {error.details or error.title or error}", message)
        except WhatsAppError as error:
            return unavailable(f"WhatsApp did not accept it now ({error}); repeat the request.")
        return Response({"id": str(message.id), "read": True, "typing": typing})


def _refused(detail: str, message: Message) -> Response:
    return Response({"detail": detail, "status": message.status}, status=409)
