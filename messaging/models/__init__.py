"""The tables of messaging: API access, business numbers, messages and contacts, media, subscriptions, webhooks, and the
state of the outgoing lane.
"""

from messaging.models.access import ApiClient, ApiKey, LoginThrottle
from messaging.models.accounts import DEFAULT_TOKEN_NAME, TOKEN_NAME, Account
from messaging.models.audit import AuditEntry
from messaging.models.idempotency import IdempotencyKey
from messaging.models.media import Media
from messaging.models.messages import (
    PRIORITIES,
    PRIORITY_NAMES,
    Attempt,
    Contact,
    Conversation,
    Direction,
    Message,
    MessageEvent,
    OnUnknown,
    Priority,
    WhatsAppId,
)
from messaging.models.numbers import BusinessNumber
from messaging.models.outgoing_state import Hold, HoldKind, IncomingMark, PairPace
from messaging.models.portfolios import OpenedCount, OpenedRecipient, Portfolio
from messaging.models.retention import ErasedWamid, FileRemoval, RetentionProgress
from messaging.models.subscriptions import Delivery, EventType, Subscription
from messaging.models.templates import Template
from messaging.models.webhooks import AccountEvent, OrphanStatus, StoredWebhook, TemplateCategory, UnknownUpdate

__all__ = [
    "DEFAULT_TOKEN_NAME",
    "PRIORITIES",
    "PRIORITY_NAMES",
    "TOKEN_NAME",
    "Account",
    "AccountEvent",
    "ApiClient",
    "ApiKey",
    "Attempt",
    "AuditEntry",
    "BusinessNumber",
    "Contact",
    "Conversation",
    "Delivery",
    "Direction",
    "ErasedWamid",
    "EventType",
    "FileRemoval",
    "Hold",
    "HoldKind",
    "IdempotencyKey",
    "IncomingMark",
    "LoginThrottle",
    "Media",
    "Message",
    "MessageEvent",
    "OnUnknown",
    "OpenedCount",
    "OpenedRecipient",
    "OrphanStatus",
    "PairPace",
    "Portfolio",
    "Priority",
    "RetentionProgress",
    "StoredWebhook",
    "Subscription",
    "Template",
    "TemplateCategory",
    "UnknownUpdate",
    "WhatsAppId",
]
