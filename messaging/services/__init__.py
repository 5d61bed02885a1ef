"""The verbs of messaging: the only code that writes its tables. It knows no Celery and no HTTP.

send_text_message, send_template_message (and their `a…` twins)   a message enters
release, take_back, sweep_*                                       the dispatcher's part
claim, record                                                     the worker's part
receive, receive_stored                                           a webhook of Meta
"""

from messaging.services.acceptance import NewMessage, accept, draft, store
from messaging.services.delivery import Claimed, Outcome, claim, record
from messaging.services.idempotency import KeyOfAnotherRequest, Once, answer_given, digest_of, sweep_idempotency_keys
from messaging.services.receiving import keep_for_later, receive, receive_stored, sweep_stored_webhooks
from messaging.services.release import (
    Release,
    numbers_with_due_messages,
    release,
    sweep_expired_leases,
    sweep_lost,
    take_back,
)
from messaging.services.senders import UnknownNumber, number_to_send_from, numbers_to_send_from
from messaging.services.sending import (
    asend_template_message,
    asend_text_message,
    send_template_message,
    send_text_message,
)
from messaging.services.statuses import sweep_orphans
from messaging.services.transitions import Change, Logged, advance_many, announce_changes
from messaging.services.windows import WindowClosed, WindowPolicy, outside_window, window_policy

__all__ = [
    "Change",
    "Claimed",
    "KeyOfAnotherRequest",
    "Logged",
    "NewMessage",
    "Once",
    "Outcome",
    "Release",
    "UnknownNumber",
    "WindowClosed",
    "WindowPolicy",
    "accept",
    "advance_many",
    "announce_changes",
    "answer_given",
    "asend_template_message",
    "asend_text_message",
    "claim",
    "digest_of",
    "draft",
    "keep_for_later",
    "number_to_send_from",
    "numbers_to_send_from",
    "numbers_with_due_messages",
    "outside_window",
    "receive",
    "receive_stored",
    "record",
    "release",
    "send_template_message",
    "send_text_message",
    "store",
    "sweep_expired_leases",
    "sweep_idempotency_keys",
    "sweep_lost",
    "sweep_orphans",
    "sweep_stored_webhooks",
    "take_back",
    "window_policy",
]
