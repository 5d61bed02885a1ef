"""Holds of a client's campaign, until someone resumes it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from messaging.access import API_CLIENT, record_action
from messaging.models import ApiClient, Hold, HoldKind, Message
from messaging.models.messages import LIMIT
from messaging.portfolios import waiting_until


@dataclass(frozen=True, slots=True)
class CampaignState:
    """Whether a campaign is held, how many of its messages wait, and how many are in flight nonetheless.

    `waiting_for_limit` of those that wait do so because of a messaging limit; `limit_done_at`: when the limits let
    the last of these go (None: none waits, or not within 60 days).
    """

    held: bool
    waiting: int
    on_their_way: int
    waiting_for_limit: int
    limit_done_at: datetime | None


def hold_campaign(campaign: str, client: ApiClient | None, who: str) -> CampaignState:
    """Hold a campaign of one client (None: of all clients). Idempotent."""
    with transaction.atomic():
        hold, new = Hold.objects.get_or_create(
            kind=HoldKind.CAMPAIGN,
            key=campaign,
            client=client,
            # Staff may hold it of one number, account or language too.
            number=None,
            waba_id="",
            language="",
            resumed_at=None,
            defaults={"by": who},
        )
        if new:
            record_action(who, "hold", f"hold {hold.pk}", kind=HoldKind.CAMPAIGN, key=campaign)
    return campaign_state(campaign, client)


def resume_campaign(campaign: str, client: ApiClient | None, who: str) -> CampaignState:
    """End the hold; the dispatcher clears the marks in batches. A client ends only what a client has set."""
    with transaction.atomic():
        holds = Hold.objects.select_for_update().filter(
            kind=HoldKind.CAMPAIGN, key=campaign, client=client, resumed_at=None
        )
        if client is not None:
            holds = holds.filter(number=None, waba_id="", language="", by__startswith=f"{API_CLIENT} ")
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
    numbers = _numbers_at_their_limit(messages)
    return CampaignState(
        held=holds.exists(),
        **counts,
        waiting_for_limit=sum(numbers.values()),
        limit_done_at=waiting_until(list(numbers)),
    )


def _numbers_at_their_limit(messages: QuerySet[Message]) -> dict[int, int]:
    """How many of these messages wait for a messaging limit, by number."""
    held = messages.filter(hold__startswith=f"{LIMIT}:")
    return dict(held.values_list("number_id").annotate(Count("id")))
