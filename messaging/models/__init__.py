"""The tables of messaging: who may call (access), whose numbers (numbers), and what was said (messages)."""

from messaging.models.access import ApiClient, ApiKey
from messaging.models.idempotency import IdempotencyKey
from messaging.models.messages import Attempt, Contact, Direction, Message, MessageEvent, Priority
from messaging.models.numbers import BusinessNumber
from messaging.models.webhooks import OrphanStatus, StoredWebhook, UnknownUpdate

__all__ = [
    "ApiClient",
    "ApiKey",
    "Attempt",
    "BusinessNumber",
    "Contact",
    "Direction",
    "IdempotencyKey",
    "Message",
    "MessageEvent",
    "OrphanStatus",
    "Priority",
    "StoredWebhook",
    "UnknownUpdate",
]
