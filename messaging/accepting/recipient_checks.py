"""Recipient checks at acceptance: consent and the customer service window, in one query."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from messaging.accepting.accept import TEMPLATE, NewMessage
from messaging.accepting.service_window import (
    LAST_INBOUND,
    LAST_INBOUND_BY_OTHER_ID,
    WINDOW,
    all_spellings,
    latest,
    window_closes,
)
from messaging.contacts import SUPPRESSED_CONTACTS, MessageTarget, SuppressionRow, refusals, suppressions_by_key
from messaging.whatsapp.recipients import canonical, spellings
from waproject.web.reconnecting_select import reconnecting_select

# Every send makes this query, so it is one round trip, and SQL: the ORM took longer to build its first half than
# PostgreSQL to answer both. A row is a blocked or opted-out contact, a conversation's last inbound message, or Meta's
# spelling of a number: from an earlier send, or from a contact if the number is unassigned or has several spellings.
# A template needs no window, and its statement is planned in half the time without them.
_FACTS = f"""
SELECT 'suppression', NULL::bigint, portfolio, phone_key, user_id, is_blocked, NULL::timestamptz
FROM ({SUPPRESSED_CONTACTS}) AS suppressed (portfolio, phone_key, user_id, is_blocked)
UNION ALL
SELECT 'wa_id', NULL, wa_id, phone, NULL, NULL, NULL FROM messaging_whatsappid WHERE phone = ANY(%(keys)s)
UNION ALL
SELECT 'wa_id', NULL, phone, phone_key, NULL, NULL, NULL FROM messaging_contact
WHERE phone_key = ANY(%(contact_keys)s)
"""  # noqa: S608 - constants of this project
_FACTS_AND_WINDOWS = f"""{_FACTS}
UNION ALL
SELECT 'inbound', number_id, NULL, peer, NULL, NULL, at FROM ({LAST_INBOUND}) AS inbound
UNION ALL
SELECT 'inbound', number_id, NULL, peer, NULL, NULL, at FROM ({LAST_INBOUND_BY_OTHER_ID}) AS by_other_id
"""  # noqa: S608 - constants of this project


class NoConsent(ValueError):
    """The contact is blocked, or has opted out of marketing; the text says which."""


@dataclass(frozen=True, slots=True)
class RecipientCheck:
    """The reason to refuse a message (empty if allowed), and whether the customer service window will be closed.

    `message` is the message to store, with the recipient's number as WhatsApp spells it. `is_known`: the number has
    written to us, or Meta has confirmed it; determined only for unassigned numbers and those with several spellings.
    """

    message: NewMessage
    refusal: str
    window_closed: bool
    is_known: bool


@dataclass(slots=True)
class _Facts:
    """What the database holds about some recipients. `wa_ids`: Meta's spelling, by canonical number."""

    suppressions: list[SuppressionRow] = field(default_factory=list)
    inbound: list[tuple[int, str, datetime]] = field(default_factory=list)
    wa_ids: dict[str, str] = field(default_factory=dict)


class RecipientChecks:
    """The checks of some messages' recipients, loaded at once."""

    def __init__(self, new: Sequence[NewMessage], windows: bool, unassigned: Collection[str]) -> None:
        self._now, self._windows = timezone.now(), windows
        facts = self._load(new, unassigned)
        self._wa_ids = facts.wa_ids
        targets = [self._addressed(message) for message in new]
        if any(canonical(target.peer) != canonical(message.peer) for target, message in zip(targets, new, strict=True)):
            # Meta knows a recipient by another number: that number's consent and window count.
            facts = self._load(targets, ())
        self._last_inbound = latest(facts.inbound)
        self._refusals = refusals(map(_target, targets), suppressions_by_key(facts.suppressions))

    def check(self, message: NewMessage) -> RecipientCheck:
        """Check one of the messages. An inbound message that is not stored yet is not taken into account."""
        addressed = self._addressed(message)
        return RecipientCheck(
            message=addressed,
            refusal=self._refusals.get(_target(addressed), ""),
            window_closed=self._windows and window_closes(addressed, self._last_inbound, self._now),
            is_known=canonical(message.peer) in self._wa_ids,
        )

    def _addressed(self, message: NewMessage) -> NewMessage:
        wa_id = self._wa_ids.get(canonical(message.peer))
        return replace(message, peer=wa_id, sent_to=wa_id) if wa_id and wa_id != message.peer else message

    def _load(self, messages: Sequence[NewMessage], unassigned: Collection[str]) -> _Facts:
        return _load(
            {canonical(message.peer) for message in messages},
            unassigned,
            [message.peer for message in messages if self._windows and message.type != TEMPLATE],
            self._now - WINDOW,
        )


def load_recipient_checks(
    new: Sequence[NewMessage], *, windows: bool, unassigned: Collection[str] = ()
) -> RecipientChecks:
    """Load what the checks of these messages need; `windows` False skips the customer service window.

    `unassigned`: numbers, in canonical form, that their country's numbering plan does not have.
    """
    return RecipientChecks(new, windows, unassigned)


def check_recipient(new: NewMessage, *, windows: bool) -> RecipientCheck:
    """Check the recipient of a single message."""
    return load_recipient_checks([new], windows=windows).check(new)


def _load(keys: set[str], unassigned: Collection[str], peers: Sequence[str], since: datetime) -> _Facts:
    parameters: Mapping[str, Any] = {
        "keys": list(keys),
        "contact_keys": [key for key in keys if key in unassigned or len(spellings(key)) > 1],
        "peers": all_spellings(peers),
        "since": since,
    }
    facts = _Facts()
    statement = _FACTS_AND_WINDOWS if peers else _FACTS
    for kind, number_id, name, key, user_id, is_blocked, at in reconnecting_select(statement, parameters):
        if kind == "suppression":
            facts.suppressions.append((name, key, user_id, is_blocked))
        elif kind == "inbound":
            facts.inbound.append((number_id, key, at))
        else:
            facts.wa_ids.setdefault(key, name)
    return facts


def _target(message: NewMessage) -> MessageTarget:
    return MessageTarget(message.peer, message.template, message.number.portfolio, message.number.waba_id)
