"""`POST /messaging/campaigns/{campaign}/hold` and `/resume`."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from messaging.accepting import CAMPAIGN_LENGTH
from messaging.access import client_of
from messaging.outgoing.holds.campaigns import CampaignState, campaign_exists, hold_campaign, resume_campaign
from waproject.web.api.views import StrictQueries


class CampaignSerializer(serializers.Serializer[Any]):
    """A campaign after a hold or resume."""

    campaign = serializers.CharField()
    held = serializers.BooleanField()
    waiting = serializers.IntegerField(help_text="Messages that are accepted and not yet released.")
    on_their_way = serializers.IntegerField(
        help_text="Messages that are released and have no outcome yet: a hold does not stop these."
    )
    waiting_for_limit = serializers.IntegerField(help_text="Of `waiting`: new recipients beyond a messaging limit.")
    limit_done_at = serializers.DateTimeField(
        allow_null=True,
        help_text="When the limits let the last of these go; null: none waits, or not within 60 days.",
    )


RESPONSES = {
    200: CampaignSerializer,
    404: OpenApiResponse(description="None of your messages has this campaign."),
}


class HoldCampaignView(StrictQueries):
    """Hold one of your campaigns: its messages wait."""

    staff_permissions = {"POST": "messaging.add_hold"}
    takes_no_body = True

    @extend_schema(request=None, responses=RESPONSES)
    def post(self, request: Request, campaign: str) -> Response:
        """The number of messages that wait now, and of those that were released before the hold."""
        return _campaign(request, campaign, hold_campaign)


class ResumeCampaignView(StrictQueries):
    """Resume a held campaign."""

    staff_permissions = {"POST": "messaging.change_hold"}
    takes_no_body = True

    @extend_schema(request=None, responses=RESPONSES)
    def post(self, request: Request, campaign: str) -> Response:
        """As for hold. `held` stays true if an operator holds the campaign too."""
        return _campaign(request, campaign, resume_campaign)


def _campaign(request: Request, campaign: str, act: Callable[..., CampaignState]) -> Response:
    # Messages store their campaign stripped too.
    campaign = campaign.strip()
    if not 1 <= len(campaign) <= CAMPAIGN_LENGTH or "\x00" in campaign:
        raise ValidationError({"campaign": [f"A campaign's name has 1 to {CAMPAIGN_LENGTH} characters."]})
    client = client_of(request)
    if not campaign_exists(campaign, client):
        raise NotFound("None of your messages has this campaign." if client else "No message has this campaign.")
    state = act(campaign, client, str(request.user))
    return Response(CampaignSerializer({"campaign": campaign, **asdict(state)}).data)
