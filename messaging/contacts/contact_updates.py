"""Contact updates: what a webhook says of senders, number changes and marketing preferences."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils import timezone

from messaging.contacts.consent import STOPPED_MARKETING, ConsentChange, consent_keyword, record_consent
from messaging.contacts.identities import ContactUpdate, apply_updates
from messaging.contacts.withdrawal import withdraw_released
from messaging.models import BusinessNumber, Contact
from messaging.whatsapp.contents import System
from messaging.whatsapp.inbound import InboundMessage, Normalised

# The marketing preferences that users set in WhatsApp: True opts out.
PREFERENCES = {"stop": True, "resume": False, "signup": False}
MARKETING = "marketing_messages"


def update_contacts(
    messages: Sequence[InboundMessage], normalised: Normalised, numbers: Mapping[str, BusinessNumber]
) -> dict[str, Contact]:
    """Create and update contacts and their consent; returns the contact of each message, by wamid."""

    def portfolio(phone_number_id: str | None) -> str:
        number = numbers.get(phone_number_id or "")
        return number.portfolio if number else ""

    stopped = [status for status in normalised.statuses if status.error_code == STOPPED_MARKETING]
    said: list[tuple[bool, datetime | None, str] | None] = [
        *(
            (word[0], message.timestamp, word[1]) if (word := consent_keyword(message)) else None
            for message in messages
        ),
        *(
            (PREFERENCES[p.value], p.timestamp, "preference")
            if p.value in PREFERENCES and p.category == MARKETING
            else None
            for p in normalised.preferences
        ),
        *((True, status.timestamp, str(STOPPED_MARKETING)) for status in stopped),
        *(None for _ in normalised.pairs),
    ]
    contacts = apply_updates(
        [
            *(_update(message, portfolio(message.phone_number_id)) for message in messages),
            *(ContactUpdate(portfolio(p.phone_number_id), p.phone, p.user_id) for p in normalised.preferences),
            *(ContactUpdate(portfolio(s.phone_number_id), _phone(s.recipient), s.recipient_user_id) for s in stopped),
            *(ContactUpdate(portfolio(p.phone_number_id), p.phone, p.user_id, creates=False) for p in normalised.pairs),
        ]
    )
    now = timezone.now()
    # A time in the future would outlast every later change.
    given = [
        ConsentChange(contact.pk, word[0], min(word[1] or now, now), word[2])
        for contact, word in zip(contacts, said, strict=True)
        if contact and word
    ]
    record_consent(given)
    withdraw_released({word.contact_id for word in given if word.opts_out}, "webhook")
    return {message.wamid: contact for message, contact in zip(messages, contacts, strict=False) if contact}


def _phone(recipient: str | None) -> str | None:
    return recipient if recipient and recipient.isdigit() and len(recipient) <= 15 else None  # noqa: PLR2004 - E.164


def _update(message: InboundMessage, portfolio: str) -> ContactUpdate:
    names = (message.profile_name or "", message.username or "")
    change = message.details
    if isinstance(change, System) and (change.phone or change.user_id):
        return ContactUpdate(
            portfolio,
            change.phone or message.sender,
            change.user_id or message.sender_user_id,
            *names,
            previous_phone=message.sender,
            previous_user_id=change.previous_user_id,
        )
    return ContactUpdate(portfolio, message.sender, message.sender_user_id, *names)
