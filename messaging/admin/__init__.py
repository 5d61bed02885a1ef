"""The admin's view of messaging: history that one can search, and the few things that one may change."""

from messaging.admin import (
    access,
    accounts,
    audit,
    conversations,
    holds,
    incoming,
    media,
    messages,
    numbers,
    subscriptions,
)
from messaging.admin.history import ReadOnlyAdmin

__all__ = [
    "ReadOnlyAdmin",
    "access",
    "accounts",
    "audit",
    "conversations",
    "holds",
    "incoming",
    "media",
    "messages",
    "numbers",
    "subscriptions",
]
