"""Recipient checks at acceptance: consent and the customer service window, in one query."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from messaging.accepting.accept import TEMPLATE, NewMessage
from messaging.accepting.service_window import LAST_INBOUND, WINDOW, LastInbound, closed_windows
from messaging.contacts import STOPPED_CONTACTS, Addressed, StopRow, refusals, stops_by_key
from messaging.whatsapp.recipients import canonical

# Every request that sends makes this query, so it is one round trip, and SQL: the ORM took longer to build its first
# half than PostgreSQL to answer both. A row is a contact who said stop (no number), or a conversation's last message.
_ASK = f"""
SELECT NULL, portfolio, phone_key, user_id, is_blocked, NULL
FROM ({STOPPED_CONTACTS}) AS stopped (portfolio, phone_key, user_id, is_blocked)
UNION ALL
SELECT number_id, NULL, peer, NULL, NULL, at FROM ({LAST_INBOUND}) AS wrote
"""  # noqa: S608 - constants of this project


class NoConsent(ValueError):
    """The contact is blocked, or has opted out of marketing; the text says which."""


@dataclass(frozen=True, slots=True)
class RecipientCheck:
    """The reason to refuse a message (empty if allowed), and whether the customer service window will be closed."""

    refusal: str
    window_closed: bool


def check_recipients(new: Sequence[NewMessage], *, windows: bool) -> list[RecipientCheck]:
    """Check each message's recipient; `windows` False skips the customer service window.

    A user's message that the incoming lane has not stored yet is not taken into account.
    """
    stopped: list[StopRow] = []
    last: LastInbound = {}
    now = timezone.now()
    asked: dict[str, Any] = {
        "keys": list({canonical(message.peer) for message in new}),
        "peers": list({message.peer for message in new if windows and message.type != TEMPLATE}),
        "since": now - WINDOW,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ASK, asked)
        for number_id, portfolio, key, user_id, is_blocked, at in cursor.fetchall():
            if number_id is None:
                stopped.append((portfolio, key, user_id, is_blocked))
            else:
                last[number_id, key] = at
    closed = closed_windows(new, last, now) if windows else [False] * len(new)
    refused = refusals([_addressed(message) for message in new], stops_by_key(stopped))
    return [RecipientCheck(*found) for found in zip(refused, closed, strict=True)]


def _addressed(message: NewMessage) -> Addressed:
    template = str(message.content.get("name", "")) if message.type == TEMPLATE else ""
    return Addressed(message.peer, template, message.number.portfolio, message.number.waba_id)
