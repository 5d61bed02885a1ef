"""What a recipient has said, where it decides whether a message may go: blocked, opted out, wrote within 24 hours."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from messaging.accepting.accept import TEMPLATE, NewMessage
from messaging.accepting.service_window import LAST_INBOUND, WINDOW, LastInbound, closed_windows
from messaging.contacts import MARKETING
from messaging.models import TemplateCategory
from messaging.whatsapp.recipients import canonical

OPTED_OUT = "The contact has opted out of marketing; this template is a marketing template."
BLOCKED = "The contact is blocked."

# Who is blocked (True) or has opted out (False), by portfolio and each name of the contact.
Stops = dict[tuple[str, str], bool]

# Every request that sends asks this, so it is one round trip, and SQL: the ORM took longer to build its first half than
# PostgreSQL to answer both. A row is of a contact who said stop (no number), or of a conversation's last message.
_ASK = f"""
SELECT NULL, portfolio, phone_key, user_id, blocked_at IS NOT NULL, NULL FROM messaging_contact
WHERE (phone_key = ANY(%(keys)s) OR user_id = ANY(%(keys)s)) AND (blocked_at IS NOT NULL OR opted_out_at IS NOT NULL)
UNION ALL
SELECT number_id, NULL, peer, NULL, NULL, at FROM ({LAST_INBOUND}) AS wrote
"""  # noqa: S608 - constants of this project


class NoConsent(ValueError):
    """The contact is blocked, or wants no marketing; the text says which."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one message: why its contact must not get it (empty: may), and whether no window will be open for it."""

    refusal: str
    window_closed: bool


def standings(new: Sequence[NewMessage], *, windows: bool) -> list[Standing]:
    """Each message's, in one query where nobody has said stop; `windows` False: none is asked for, none is closed.

    What a user wrote and the incoming lane has not stored yet is not known here.
    """
    stops: Stops = {}
    last: LastInbound = {}
    now = timezone.now()
    asked: dict[str, Any] = {
        "keys": list({canonical(message.peer) for message in new}),
        "peers": list({message.peer for message in new if windows and message.type != TEMPLATE}),
        "since": now - WINDOW,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ASK, asked)
        for number_id, portfolio, name, other_name, is_blocked, at in cursor.fetchall():
            if number_id is None:
                stops |= {(portfolio, key): is_blocked for key in (name, other_name) if key}
            else:
                last[number_id, name] = at
    closed = closed_windows(new, last, now) if windows else [False] * len(new)
    return [Standing(*found) for found in zip(refusals(new, stops), closed, strict=True)]


def refusals(new: Sequence[NewMessage], stops: Stops) -> list[str]:
    """For each message why its contact must not get it, empty where it may; no query where nobody has said stop."""
    if not stops:
        return [""] * len(new)
    templates = {_name_of(message) for message in new if message.type == TEMPLATE}
    marketing = set(
        TemplateCategory.objects.filter(name__in=templates, category__istartswith=MARKETING).values_list(
            "name", "waba_id"
        )
    )
    return [_refusal(message, stops, marketing) for message in new]


def _refusal(message: NewMessage, stops: Stops, marketing: set[tuple[str, str]]) -> str:
    is_blocked = stops.get((message.number.portfolio, canonical(message.peer)))
    if is_blocked is None:
        return ""
    if is_blocked:
        return BLOCKED
    accounts = {(_name_of(message), message.number.waba_id), (_name_of(message), "")}
    return OPTED_OUT if message.type == TEMPLATE and accounts & marketing else ""


def _name_of(message: NewMessage) -> str:
    return str(message.content.get("name", ""))
