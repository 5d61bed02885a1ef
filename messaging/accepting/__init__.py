"""Acceptance of sends: validate a message, check its recipient, store it as `pending`."""

from messaging.accepting.accept import (
    CAMPAIGN_LENGTH,
    TEMPLATE,
    NewMessage,
    draft,
    store,
)
from messaging.accepting.business_numbers import (
    UnknownNumber,
    number_to_send_from,
)
from messaging.accepting.recipient_checks import (
    NoConsent,
    check_recipients,
)
from messaging.accepting.service_window import (
    WINDOW,
    WindowClosed,
    WindowPolicy,
    is_open,
    last_inbound,
    window_policy,
)

__all__ = [
    "CAMPAIGN_LENGTH",
    "TEMPLATE",
    "WINDOW",
    "NewMessage",
    "NoConsent",
    "UnknownNumber",
    "WindowClosed",
    "WindowPolicy",
    "check_recipients",
    "draft",
    "is_open",
    "last_inbound",
    "number_to_send_from",
    "store",
    "window_policy",
]
