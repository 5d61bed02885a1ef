"""The outgoing lane: select, release, claim, call, record, recover, redrive."""

from messaging.outgoing.cancel_and_retry import (
    NotPossible,
    cancel,
    retry,
)
from messaging.outgoing.failed_statuses import (
    give_another_chance,
)
from messaging.outgoing.holds.campaigns import (
    CampaignState,
    campaign_exists,
    hold_campaign,
    resume_campaign,
)
from messaging.outgoing.lost_answers.incoming_evidence import (
    note_refusal,
)

__all__ = [
    "CampaignState",
    "NotPossible",
    "campaign_exists",
    "cancel",
    "give_another_chance",
    "hold_campaign",
    "note_refusal",
    "resume_campaign",
    "retry",
]
