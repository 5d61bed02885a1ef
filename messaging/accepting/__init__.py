"""Acceptance of sends: validate a message, check its recipient, store it as `pending`."""

from messaging.accepting.accept import (
    CAMPAIGN_LENGTH,
    TEMPLATE,
    NewMessage,
    draft,
    store,
)
from messaging.accepting.recipient_checks import (
    NoConsent,
    check_recipient,
)
from messaging.accepting.sending_numbers import (
    UnknownNumber,
    sending_number,
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
    "check_recipient",
    "draft",
    "is_open",
    "last_inbound",
    "sending_number",
    "store",
    "window_policy",
]
