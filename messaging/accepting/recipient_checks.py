"""Recipient checks at acceptance: consent and the customer service window, in one query."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from messaging.accepting.accept import TEMPLATE, NewMessage
from messaging.accepting.service_window import LAST_INBOUND, WINDOW, all_spellings, closed_windows, latest
from messaging.contacts import STOPPED_CONTACTS, Addressed, StopRow, refusals, stops_by_key
from messaging.whatsapp.recipients import canonical, spellings

# Every request that sends makes this query, so it is one round trip, and SQL: the ORM took longer to build its first
# half than PostgreSQL to answer both. A row is a contact who said stop, a conversation's last message, or Meta's own
# spelling of a number: of one that we sent to before, or of a contact, where its number is doubtful or has several.
_ASK = f"""
SELECT 'stop', NULL, portfolio, phone_key, user_id, is_blocked, NULL
FROM ({STOPPED_CONTACTS}) AS stopped (portfolio, phone_key, user_id, is_blocked)
UNION ALL
SELECT 'wrote', number_id, NULL, peer, NULL, NULL, at FROM ({LAST_INBOUND}) AS wrote
UNION ALL
SELECT 'spelled', NULL, wa_id, phone, NULL, NULL, NULL FROM messaging_whatsappid WHERE phone = ANY(%(keys)s)
UNION ALL
SELECT 'spelled', NULL, phone, phone_key, NULL, NULL, NULL FROM messaging_contact
WHERE phone_key = ANY(%(looked_up)s)
"""  # noqa: S608 - constants of this project


class NoConsent(ValueError):
    """The contact is blocked, or has opted out of marketing; the text says which."""


@dataclass(frozen=True, slots=True)
class RecipientCheck:
    """The reason to refuse a message (empty if allowed), and whether the customer service window will be closed.

    `message` is the message to store: its recipient is the number that WhatsApp knows it by. `is_known`: a doubtful
    number that has written to us, or that Meta has confirmed.
    """

    message: NewMessage
    refusal: str
    window_closed: bool
    is_known: bool


@dataclass(slots=True)
class _Known:
    """What the database holds about some recipients. `spelled`: Meta's spelling, by canonical number."""

    stopped: list[StopRow] = field(default_factory=list)
    wrote: list[tuple[int, str, datetime]] = field(default_factory=list)
    spelled: dict[str, str] = field(default_factory=dict)


def check_recipients(
    new: Sequence[NewMessage], *, windows: bool, doubtful: Collection[str] = ()
) -> list[RecipientCheck]:
    """Check each message's recipient; `windows` False skips the customer service window.

    `doubtful`: numbers in canonical form that their country's numbering plan does not have.

    A user's message that the incoming lane has not stored yet is not taken into account.
    """
    now = timezone.now()
    known = _ask(new, windows, doubtful, now)
    exist = [canonical(message.peer) in known.spelled for message in new]
    resolved = [_as_spelled(message, known.spelled) for message in new]
    if any(canonical(one.peer) != canonical(other.peer) for one, other in zip(new, resolved, strict=True)):
        # Meta knows the recipient by another number: that one's consent and window count.
        known = _ask(resolved, windows, (), now)
    closed = closed_windows(resolved, latest(known.wrote), now) if windows else [False] * len(new)
    refused = refusals([_addressed(message) for message in resolved], stops_by_key(known.stopped))
    return [RecipientCheck(*found) for found in zip(resolved, refused, closed, exist, strict=True)]


def _ask(messages: Sequence[NewMessage], windows: bool, doubtful: Collection[str], now: datetime) -> _Known:
    keys = {canonical(message.peer) for message in messages}
    asked: dict[str, Any] = {
        "keys": list(keys),
        "looked_up": [key for key in keys if key in doubtful or len(spellings(key)) > 1],
        "peers": all_spellings(message.peer for message in messages if windows and message.type != TEMPLATE),
        "since": now - WINDOW,
    }
    known = _Known()
    with connection.cursor() as cursor:
        cursor.execute(_ASK, asked)
        for kind, number_id, name, key, user_id, is_blocked, at in cursor.fetchall():
            if kind == "stop":
                known.stopped.append((name, key, user_id, is_blocked))
            elif kind == "wrote":
                known.wrote.append((number_id, key, at))
            else:
                known.spelled.setdefault(key, name)
    return known


def _as_spelled(message: NewMessage, spelled: Mapping[str, str]) -> NewMessage:
    wa_id = spelled.get(canonical(message.peer))
    return replace(message, peer=wa_id, sent_to=wa_id) if wa_id and wa_id != message.peer else message


def _addressed(message: NewMessage) -> Addressed:
    template = str(message.content.get("name", "")) if message.type == TEMPLATE else ""
    return Addressed(message.peer, template, message.number.portfolio, message.number.waba_id)
