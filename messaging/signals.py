"""Public signals, sent after commit. A failing receiver does not affect the others.

    message_received(message_id)                 a user's message was stored; not for echoes, history, blocked contacts
    message_media(message_id, state)             the file of such a message was stored, or its download has failed
    message_status_changed(message_id, status)   a message moved to another state
    account_event(event_id)                      Meta reported an event of the account, a number or a template
    events_recorded(event_ids)                   new MessageEvent rows of one statement
    lane_alert(kind, key, reason)                an operator must act; kinds: lifecycle/operator_alerts.py

Each is sent once per occurrence, however often Meta repeats a webhook.

`message_id` is a UUID, `state` a `media_states.State`, `status` a `Status`, `event_id` an integer (`AccountEvent.pk`),
`event_ids` a list of integers. The sender is the model. A receiver runs in the process that stored the row, between two
batches: move work of more than a few milliseconds to a task of your own. A process that is killed after its commit
sends no signal; use a subscription to get every event (docs/subscriptions.md).
"""

import logging
from typing import Any

from django.dispatch import Signal

logger = logging.getLogger(__name__)

message_received = Signal()
message_media = Signal()
message_status_changed = Signal()
account_event = Signal()
events_recorded = Signal()
lane_alert = Signal()


def announce(signal: Signal, sender: Any, **kwargs: Any) -> None:
    """Send a signal; log the type of a receiver's error, not its text, which may quote a message."""
    for receiver, result in signal.send_robust(sender, **kwargs):
        if isinstance(result, Exception):
            name = getattr(receiver, "__qualname__", type(receiver).__qualname__)
            logger.error("signal receiver %s failed: %s", name, type(result).__name__)
