"""Status changes: the one statement that makes them, and the domain events that announce them."""

from messaging.lifecycle.deadlock_retry import (
    retry_on_deadlock,
)
from messaging.lifecycle.domain_events import (
    AccountEventStored,
    DomainEvent,
    MediaSettled,
    MessageReceived,
    StatusChanged,
    publish_events,
)
from messaging.lifecycle.operator_alerts import (
    alert,
)
from messaging.lifecycle.transitions import (
    ERASED_PEER,
    ERASED_PEER_WITH_COUNTRY,
    Change,
    RecordedEvent,
    advance_many,
    announce_events,
)

__all__ = [
    "ERASED_PEER",
    "ERASED_PEER_WITH_COUNTRY",
    "AccountEventStored",
    "Change",
    "DomainEvent",
    "MediaSettled",
    "MessageReceived",
    "RecordedEvent",
    "StatusChanged",
    "advance_many",
    "alert",
    "announce_events",
    "publish_events",
    "retry_on_deadlock",
]
