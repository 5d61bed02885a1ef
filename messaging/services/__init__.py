"""The verbs of messaging: the only code that writes its tables. It knows no Celery and no HTTP.

send_message, send_text_message, send_template_message             a message enters (`a…` are their twins)
cancel, retry, hold_campaign, resume_campaign                     somebody changes their mind
release, take_back, sweep_*                                       the dispatcher's part
pause, resume, hold_template, resume_hold                         what may not be sent
mark_failed, send_again, revive                                   what ended, or may have, and is sent again
claim, record                                                     the worker's part
receive, receive_stored                                           a webhook of Meta
subscriptions.py, deliveries.py                                   who is told of it, and the telling
"""

from messaging.services.acceptance import CAMPAIGN_LENGTH, REFERENCE_LENGTH, NewMessage, accept, draft, store
from messaging.services.audit import name_of, note
from messaging.services.campaigns import CampaignState, campaign_state, hold_campaign, resume_campaign
from messaging.services.consent import NoConsent, Word, note_words
from messaging.services.delivery import Claimed, Outcome, claim, record
from messaging.services.doubles import doubled
from messaging.services.holds import hold_template, resume_hold, sweep_holds
from messaging.services.idempotency import KeyOfAnotherRequest, Once, answer_given, digest_of, sweep_idempotency_keys
from messaging.services.incoming_evidence import IncomingEvidence, evidence, note_refusal
from messaging.services.interventions import NotPossible, cancel, retry
from messaging.services.lost import (
    queued_releases,
    sweep_expired,
    sweep_expired_leases,
    sweep_lost,
    sweep_pairs,
    take_back,
)
from messaging.services.receiving import keep_for_later, receive, receive_stored, sweep_stored_webhooks
from messaging.services.recipients import recipient
from messaging.services.release import Release, inbound_rates, numbers_with_due_messages, release
from messaging.services.replies import with_answered
from messaging.services.revival import DeadLetter, dead_lettered, exhausted, mark_failed, revive, send_again
from messaging.services.schedule import MAX_AHEAD, InvalidTime, check_times
from messaging.services.senders import UnknownNumber, number_to_send_from, numbers_to_send_from
from messaging.services.sending import (
    asend_message,
    asend_template_message,
    asend_text_message,
    send_message,
    send_template_message,
    send_text_message,
)
from messaging.services.standing import Standing, standings
from messaging.services.statuses import sweep_orphans
from messaging.services.stops import pause, resume
from messaging.services.transitions import Change, Logged, advance_many, announce_changes
from messaging.services.unknowns import has_unknown, sweep_unknown
from messaging.services.windows import WindowClosed, WindowPolicy, window_policy

__all__ = [
    "CAMPAIGN_LENGTH",
    "MAX_AHEAD",
    "REFERENCE_LENGTH",
    "CampaignState",
    "Change",
    "Claimed",
    "DeadLetter",
    "IncomingEvidence",
    "InvalidTime",
    "KeyOfAnotherRequest",
    "Logged",
    "NewMessage",
    "NoConsent",
    "NotPossible",
    "Once",
    "Outcome",
    "Release",
    "Standing",
    "UnknownNumber",
    "WindowClosed",
    "WindowPolicy",
    "Word",
    "accept",
    "advance_many",
    "announce_changes",
    "answer_given",
    "asend_message",
    "asend_template_message",
    "asend_text_message",
    "campaign_state",
    "cancel",
    "check_times",
    "claim",
    "dead_lettered",
    "digest_of",
    "doubled",
    "draft",
    "evidence",
    "exhausted",
    "has_unknown",
    "hold_campaign",
    "hold_template",
    "inbound_rates",
    "keep_for_later",
    "mark_failed",
    "name_of",
    "note",
    "note_refusal",
    "note_words",
    "number_to_send_from",
    "numbers_to_send_from",
    "numbers_with_due_messages",
    "pause",
    "queued_releases",
    "receive",
    "receive_stored",
    "recipient",
    "record",
    "release",
    "resume",
    "resume_campaign",
    "resume_hold",
    "retry",
    "revive",
    "send_again",
    "send_message",
    "send_template_message",
    "send_text_message",
    "standings",
    "store",
    "sweep_expired",
    "sweep_expired_leases",
    "sweep_holds",
    "sweep_idempotency_keys",
    "sweep_lost",
    "sweep_orphans",
    "sweep_pairs",
    "sweep_stored_webhooks",
    "sweep_unknown",
    "take_back",
    "window_policy",
    "with_answered",
]
