"""The tables of messaging: who may call (access), whose numbers (numbers), what was said (messages),
and what the outgoing lane remembers (lane).
"""

from messaging.models.access import ApiClient, ApiKey
from messaging.models.audit import AuditEntry
from messaging.models.idempotency import IdempotencyKey
from messaging.models.lane import Hold, HoldKind, IncomingMark, PairPace
from messaging.models.messages import Attempt, Contact, Direction, Message, MessageEvent, OnUnknown, Priority
from messaging.models.numbers import BusinessNumber
from messaging.models.webhooks import AccountEvent, OrphanStatus, StoredWebhook, TemplateCategory, UnknownUpdate

__all__ = [
    "AccountEvent",
    "ApiClient",
    "ApiKey",
    "Attempt",
    "AuditEntry",
    "BusinessNumber",
    "Contact",
    "Direction",
    "Hold",
    "HoldKind",
    "IdempotencyKey",
    "IncomingMark",
    "Message",
    "MessageEvent",
    "OnUnknown",
    "OrphanStatus",
    "PairPace",
    "Priority",
    "StoredWebhook",
    "TemplateCategory",
    "UnknownUpdate",
]
