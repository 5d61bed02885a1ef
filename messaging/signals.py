"""What the rest of a system may listen to. Sent after commit; a receiver that fails harms nobody.

    message_received(message_id)                 an inbound message was stored, once
    message_status_changed(message_id, status)   a message moved to another state
    events_recorded(event_ids)                   MessageEvent rows of one statement, for the analytics lane
    lane_alert(kind, key, reason)                somebody has to look: see `services/alerts.py` for the kinds

`message_id` is a UUID, `status` a `Status`, `event_ids` a list of integers.
"""

import logging
from typing import Any

from django.dispatch import Signal

logger = logging.getLogger(__name__)

message_received = Signal()
message_status_changed = Signal()
events_recorded = Signal()
lane_alert = Signal()


def announce(signal: Signal, sender: Any, **kwargs: Any) -> None:
    """Send a signal and log what its receivers raised."""
    for receiver, result in signal.send_robust(sender, **kwargs):
        if isinstance(result, Exception):
            logger.error("signal receiver %s failed: %s", getattr(receiver, "__qualname__", receiver), result)
