"""Django signals for domain events."""

from collections.abc import Sequence

from messaging.lifecycle import domain_events
from messaging.lifecycle.domain_events import DomainEvent, MediaSettled, MessageReceived, StatusChanged
from messaging.models import AccountEvent, Message
from messaging.signals import account_event, announce, message_media, message_received, message_status_changed


def send_signals(items: Sequence[DomainEvent]) -> None:
    """Send the Django signal of each event, in order; log receivers that fail."""
    for item in items:
        match item:
            case MessageReceived(message_id):
                announce(message_received, Message, message_id=message_id)
            case MediaSettled(message_id, state):
                announce(message_media, Message, message_id=message_id, state=state)
            case StatusChanged(message_id, status):
                announce(message_status_changed, Message, message_id=message_id, status=status)
            case domain_events.AccountEventStored(event_id):
                announce(account_event, AccountEvent, event_id=event_id)
