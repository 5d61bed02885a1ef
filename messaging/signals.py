"""What the rest of a system may listen to. Sent after commit; a receiver that fails harms nobody.

    message_received(message_id)                 a user's message was stored, once; no echo, no history, nobody blocked
    message_media(message_id, state)             the file of such a message was stored, or will not come
    message_status_changed(message_id, status)   a message moved to another state
    account_event(event_id)                      Meta told something of the account, a number or a template, once
    events_recorded(event_ids)                   MessageEvent rows of one statement
    lane_alert(kind, key, reason)                an operator must look; kinds: lifecycle/operator_alerts.py

`message_id` is a UUID, `state` a `media_states.State`, `status` a `Status`, `event_id` an integer (`AccountEvent.pk`),
`event_ids` a list of integers. The sender is the model. A receiver runs in the process that stored the row, between
two batches of it: what takes longer than some milliseconds belongs in a task of your own. A process that is killed
after its commit sends no signal; who must hear of everything subscribes (docs/subscriptions.md).
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
    """Send a signal and log that a receiver failed: the type alone, since its words may quote a message."""
    for receiver, result in signal.send_robust(sender, **kwargs):
        if isinstance(result, Exception):
            name = getattr(receiver, "__qualname__", type(receiver).__qualname__)
            logger.error("signal receiver %s failed: %s", name, type(result).__name__)
