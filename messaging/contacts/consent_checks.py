"""Consent checks: whether a contact's block or opt-out forbids a message."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from messaging.contacts.consent import MARKETING
from messaging.models import TemplateCategory
from messaging.whatsapp.recipients import canonical

OPTED_OUT = "The contact has opted out of marketing; this template is a marketing template."
BLOCKED = "The contact is blocked."

# By the canonical number or user id of a contact: in which portfolios it is blocked (True) or has opted out (False).
Stops = Mapping[str, Mapping[str, bool]]
# portfolio, phone_key, user_id, whether blocked
StopRow = tuple[str, str | None, str | None, bool]

# Of the contacts with one of these keys; each half is answered by a unique index.
STOPPED_CONTACTS = """
SELECT portfolio, phone_key, user_id, blocked_at IS NOT NULL FROM messaging_contact
WHERE (phone_key = ANY(%(keys)s) OR user_id = ANY(%(keys)s)) AND (blocked_at IS NOT NULL OR opted_out_at IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Addressed:
    """What a consent check needs of a message; `template` is empty for other types."""

    peer: str
    template: str
    portfolio: str
    waba_id: str


def stops_by_key(rows: Iterable[StopRow]) -> Stops:
    """Index the rows of STOPPED_CONTACTS by each key."""
    stops: dict[str, dict[str, bool]] = {}
    for portfolio, phone_key, user_id, is_blocked in rows:
        for key in (phone_key, user_id):
            if key:
                stops.setdefault(key, {})[portfolio] = is_blocked
    return stops


def stops_of(peers: Iterable[str]) -> Stops:
    """The blocks and opt-outs of these recipients, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(STOPPED_CONTACTS, {"keys": list({canonical(peer) for peer in peers})})
        return stops_by_key(cursor.fetchall())


def refusals(messages: Sequence[Addressed], stops: Stops) -> list[str]:
    """For each message the reason to refuse it, empty if allowed. Makes no query where nobody has said stop."""
    found = [_stop(message, stops) for message in messages]
    marketing = _marketing(
        {message.template for message, is_blocked in zip(messages, found, strict=True) if is_blocked is False}
    )
    return [_refusal(message, is_blocked, marketing) for message, is_blocked in zip(messages, found, strict=True)]


def _stop(message: Addressed, stops: Stops) -> bool | None:
    """True: blocked; False: opted out; None: neither. An unknown portfolio, on either side, is taken for any."""
    by_portfolio = stops.get(canonical(message.peer), {})
    relevant = [
        is_blocked
        for portfolio, is_blocked in by_portfolio.items()
        if not portfolio or not message.portfolio or portfolio == message.portfolio
    ]
    return any(relevant) if relevant else None


def _marketing(templates: set[str]) -> set[tuple[str, str]]:
    """Names and accounts of the marketing templates among these."""
    names = templates - {""}
    if not names:
        return set()
    found = TemplateCategory.objects.filter(name__in=names, category__istartswith=MARKETING)
    return set(found.values_list("name", "waba_id"))


def _refusal(message: Addressed, is_blocked: bool | None, marketing: set[tuple[str, str]]) -> str:
    if is_blocked is None:
        return ""
    if is_blocked:
        return BLOCKED
    is_marketing = any(
        name == message.template and (not waba_id or not message.waba_id or waba_id == message.waba_id)
        for name, waba_id in marketing
    )
    return OPTED_OUT if is_marketing else ""
