"""`POST …/cancel` and `/retry` of a message, `/hold` and `/resume` of a campaign."""

from collections.abc import Callable
from dataclasses import asdict
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from messaging.accepting import CAMPAIGN_LENGTH
from messaging.access import audit_name, client_of
from messaging.messages.serializers import CampaignSerializer, MessageSerializer, NotPossibleSerializer
from messaging.models import Message
from messaging.outgoing import (
    CampaignState,
    NotPossible,
    campaign_exists,
    cancel,
    hold_campaign,
    resume_campaign,
    retry,
)
from waproject.web.api.views import StrictQueries

RESPONSES = {
    200: MessageSerializer,
    403: OpenApiResponse(description="The message is another client's."),
    404: OpenApiResponse(description="No message has this id."),
    409: NotPossibleSerializer,
}

CAMPAIGN_RESPONSES = {
    200: CampaignSerializer,
    404: OpenApiResponse(description="None of your messages has this campaign."),
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


class HoldCampaignView(StrictQueries):
    """Hold one of your campaigns: its messages wait."""

    staff_permissions = {"POST": "messaging.add_hold"}
    takes_no_body = True

    @extend_schema(request=None, responses=CAMPAIGN_RESPONSES)
    def post(self, request: Request, campaign: str) -> Response:
        """The number of messages that wait now, and of those that were released before the hold."""
        return _campaign(request, campaign, hold_campaign)


class ResumeCampaignView(StrictQueries):
    """Resume a held campaign."""

    staff_permissions = {"POST": "messaging.change_hold"}
    takes_no_body = True

    @extend_schema(request=None, responses=CAMPAIGN_RESPONSES)
    def post(self, request: Request, campaign: str) -> Response:
        """As for hold. `held` stays true if an operator holds the campaign too."""
        return _campaign(request, campaign, resume_campaign)


def _intervene(request: Request, pk: UUID, act: Callable[[Message, str], Message]) -> Response:
    message = Message.objects.select_related("number", "media").filter(pk=pk).first()
    if message is None:
        raise NotFound("No message has this id.")
    client = client_of(request)
    if client is not None and message.client_id != client.pk:
        raise PermissionDenied("The message is another client's.")
    try:
        return Response(MessageSerializer(act(message, _actor(request))).data)
    except NotPossible as error:
        return Response({"detail": str(error), "status": error.status}, status=409)


def _campaign(request: Request, campaign: str, act: Callable[..., CampaignState]) -> Response:
    # Messages store their campaign stripped too.
    campaign = campaign.strip()
    if not 1 <= len(campaign) <= CAMPAIGN_LENGTH or "\x00" in campaign:
        raise ValidationError({"campaign": [f"A campaign's name has 1 to {CAMPAIGN_LENGTH} characters."]})
    client = client_of(request)
    if not campaign_exists(campaign, client):
        raise NotFound("None of your messages has this campaign." if client else "No message has this campaign.")
    state = act(campaign, client, _actor(request))
    return Response(CampaignSerializer({"campaign": campaign, **asdict(state)}).data)


def _actor(request: Request) -> str:
    client = client_of(request)
    return audit_name(client) if client is not None else str(request.user)
