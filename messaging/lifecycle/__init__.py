"""Status changes: the one statement that makes them, and the domain events that announce them."""

from messaging.lifecycle.deadlock_retry import (
    retrying_deadlocks,
)
from messaging.lifecycle.domain_events import (
    Happening,
    MediaSettled,
    MessageReceived,
    StatusChanged,
    happened,
)
from messaging.lifecycle.operator_alerts import (
    alert,
)
from messaging.lifecycle.transitions import (
    Change,
    Logged,
    advance_many,
    announce_events,
)

__all__ = [
    "Change",
    "Happening",
    "Logged",
    "MediaSettled",
    "MessageReceived",
    "StatusChanged",
    "advance_many",
    "alert",
    "announce_events",
    "happened",
    "retrying_deadlocks",
]
