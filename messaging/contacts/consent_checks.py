"""Consent checks: whether a contact's block or opt-out forbids a message."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import connection

from messaging.contacts.consent import MARKETING
from messaging.models import TemplateCategory
from messaging.whatsapp.recipients import canonical

OPTED_OUT = "The contact has opted out of marketing; this template is a marketing template."
BLOCKED = "The contact is blocked."

# By canonical number or user id of a contact: the portfolios in which it is blocked (True) or has opted out (False).
Suppressions = Mapping[str, Mapping[str, bool]]
# portfolio, phone_key, user_id, whether blocked
SuppressionRow = tuple[str, str | None, str | None, bool]

# The blocked and opted-out contacts with one of these keys; each half of the condition uses a unique index.
SUPPRESSED_CONTACTS = """
SELECT portfolio, phone_key, user_id, blocked_at IS NOT NULL FROM messaging_contact
WHERE (phone_key = ANY(%(keys)s) OR user_id = ANY(%(keys)s)) AND (blocked_at IS NOT NULL OR opted_out_at IS NOT NULL)
"""


# Whether the recipient of the message `m` is a blocked or opted-out contact, in whatever portfolio: two index lookups.
IS_SUPPRESSED = """(
  EXISTS (SELECT FROM messaging_contact c WHERE c.phone_key = m.peer
    AND (c.blocked_at IS NOT NULL OR c.opted_out_at IS NOT NULL))
  OR EXISTS (SELECT FROM messaging_contact c WHERE c.user_id = m.peer
    AND (c.blocked_at IS NOT NULL OR c.opted_out_at IS NOT NULL)))
"""


# Whether the message `m` of the number `n` is a marketing template of its account, as far as Meta has said.
IS_MARKETING = """(
  m.template <> '' AND EXISTS (SELECT FROM messaging_templatecategory t
    WHERE t.name = m.template AND t.waba_id = n.waba_id AND t.category LIKE 'marketing%%'))
"""


@dataclass(frozen=True, slots=True)
class MessageTarget:
    """What a consent check needs of a message; `template` is empty for other types."""

    peer: str
    template: str
    portfolio: str
    waba_id: str


def suppressions_by_key(rows: Iterable[SuppressionRow]) -> Suppressions:
    """Index the rows of SUPPRESSED_CONTACTS by each key."""
    suppressions: dict[str, dict[str, bool]] = {}
    for portfolio, phone_key, user_id, is_blocked in rows:
        for key in (phone_key, user_id):
            if key:
                suppressions.setdefault(key, {})[portfolio] = is_blocked
    return suppressions


def suppressions_of(peers: Iterable[str]) -> Suppressions:
    """The blocks and opt-outs of these recipients, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(SUPPRESSED_CONTACTS, {"keys": list({canonical(peer) for peer in peers})})
        return suppressions_by_key(cursor.fetchall())


def refusals(messages: Iterable[MessageTarget], suppressions: Suppressions) -> dict[MessageTarget, str]:
    """The reasons to refuse messages; allowed ones are left out. Makes no query if no contact has opted out."""
    suppressed = {
        message: is_blocked for message in messages if (is_blocked := _is_blocked(message, suppressions)) is not None
    }
    marketing = _marketing({message.template for message, is_blocked in suppressed.items() if not is_blocked})
    reasons = {message: _refusal(message, is_blocked, marketing) for message, is_blocked in suppressed.items()}
    return {message: reason for message, reason in reasons.items() if reason}


def _is_blocked(message: MessageTarget, suppressions: Suppressions) -> bool | None:
    """True: blocked; False: opted out; None: neither. An unknown portfolio, on either side, matches any."""
    by_portfolio = suppressions.get(canonical(message.peer), {})
    relevant = [
        is_blocked
        for portfolio, is_blocked in by_portfolio.items()
        if not portfolio or not message.portfolio or portfolio == message.portfolio
    ]
    return any(relevant) if relevant else None


def _marketing(templates: set[str]) -> set[tuple[str, str]]:
    """Names and WABA ids of the marketing templates among these."""
    names = templates - {""}
    if not names:
        return set()
    found = TemplateCategory.objects.filter(name__in=names, category__istartswith=MARKETING)
    return set(found.values_list("name", "waba_id"))


def _refusal(message: MessageTarget, is_blocked: bool, marketing: set[tuple[str, str]]) -> str:
    if is_blocked:
        return BLOCKED
    is_marketing = any(
        name == message.template and (not waba_id or not message.waba_id or waba_id == message.waba_id)
        for name, waba_id in marketing
    )
    return OPTED_OUT if is_marketing else ""
