"""Holding and resuming a client's campaign."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from messaging.access import record_action
from messaging.models import ApiClient, Hold, HoldKind, Message


@dataclass(frozen=True, slots=True)
class CampaignState:
    """Whether a campaign is held, how many of its messages wait, and how many are in flight all the same."""

    held: bool
    waiting: int
    on_their_way: int


def hold_campaign(campaign: str, client: ApiClient | None, who: str) -> CampaignState:
    """Hold a campaign of one client (None: of all clients). Idempotent."""
    with transaction.atomic():
        hold, new = Hold.objects.get_or_create(
            kind=HoldKind.CAMPAIGN, key=campaign, client=client, number=None, resumed_at=None, defaults={"by": who}
        )
        if new:
            record_action(who, "hold", f"hold {hold.pk}", kind=HoldKind.CAMPAIGN, key=campaign)
    return campaign_state(campaign, client)


def resume_campaign(campaign: str, client: ApiClient | None, who: str) -> CampaignState:
    """End the hold; the dispatcher clears the marks in batches. A hold by staff (no client) is resumed by staff."""
    with transaction.atomic():
        holds = Hold.objects.select_for_update().filter(
            kind=HoldKind.CAMPAIGN, key=campaign, client=client, resumed_at=None
        )
        for hold in holds:
            hold.resumed_at = timezone.now()
            hold.save(update_fields=["resumed_at"])
            record_action(who, "resume", f"hold {hold.pk}", kind=HoldKind.CAMPAIGN, key=campaign)
    return campaign_state(campaign, client)


def campaign_exists(campaign: str, client: ApiClient | None) -> bool:
    """Whether a message or a hold of the client (None: of any client) names the campaign."""
    owned = Q() if client is None else Q(client=client)
    return (
        Message.objects.filter(owned, campaign=campaign).exists()
        or Hold.objects.filter(owned, kind=HoldKind.CAMPAIGN, key=campaign).exists()
    )


def campaign_state(campaign: str, client: ApiClient | None) -> CampaignState:
    """The current state; a hold by staff counts for every client."""
    holds = Hold.objects.filter(kind=HoldKind.CAMPAIGN, key=campaign, resumed_at=None)
    messages = Message.objects.filter(campaign=campaign, due_at__isnull=False, outcome_at=None)
    if client is not None:
        holds = holds.filter(Q(client=client) | Q(client=None))
        messages = messages.filter(client=client)
    counts = messages.aggregate(
        waiting=Count("id", filter=Q(released_at=None)), on_their_way=Count("id", filter=~Q(released_at=None))
    )
    return CampaignState(held=holds.exists(), **counts)
