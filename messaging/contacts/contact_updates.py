"""Contact updates: what a webhook says of senders, number changes and marketing preferences."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils import timezone

from messaging.contacts.consent import STOPPED_MARKETING, Word, note_words, word_in
from messaging.contacts.identities import Sighting, sight
from messaging.contacts.withdrawal import withdraw_released
from messaging.models import BusinessNumber, Contact
from messaging.whatsapp.contents import System
from messaging.whatsapp.inbound import InboundMessage, Normalised

# What a user may say of marketing in WhatsApp itself.
PREFERENCES = {"stop": True, "resume": False, "signup": False}
MARKETING = "marketing_messages"


def people_of(
    messages: Sequence[InboundMessage], normalised: Normalised, numbers: Mapping[str, BusinessNumber]
) -> dict[str, Contact]:
    """Bring contacts and their consent up to date; returns the contact of each message, by wamid."""

    def portfolio(phone_number_id: str | None) -> str:
        number = numbers.get(phone_number_id or "")
        return number.portfolio if number else ""

    stopped = [status for status in normalised.statuses if status.error_code == STOPPED_MARKETING]
    said: list[tuple[bool, datetime | None, str] | None] = [
        *((word[0], message.timestamp, word[1]) if (word := word_in(message)) else None for message in messages),
        *(
            (PREFERENCES[p.value], p.timestamp, "preference")
            if p.value in PREFERENCES and p.category == MARKETING
            else None
            for p in normalised.preferences
        ),
        *((True, status.timestamp, str(STOPPED_MARKETING)) for status in stopped),
        *(None for _ in normalised.pairs),
    ]
    contacts = sight(
        [
            *(_sighting(message, portfolio(message.phone_number_id)) for message in messages),
            *(Sighting(portfolio(p.phone_number_id), p.phone, p.user_id) for p in normalised.preferences),
            *(Sighting(portfolio(s.phone_number_id), _phone(s.recipient), s.recipient_user_id) for s in stopped),
            *(
                Sighting(portfolio(p.phone_number_id), p.phone, p.user_id, is_new_welcome=False)
                for p in normalised.pairs
            ),
        ]
    )
    now = timezone.now()
    # A time in the future would outlast every later word.
    given = [
        Word(contact.pk, word[0], min(word[1] or now, now), word[2])
        for contact, word in zip(contacts, said, strict=True)
        if contact and word
    ]
    note_words(given)
    withdraw_released({word.contact_id for word in given if word.is_stop}, "webhook")
    return {message.wamid: contact for message, contact in zip(messages, contacts, strict=False) if contact}


def _phone(recipient: str | None) -> str | None:
    return recipient if recipient and recipient.isdigit() and len(recipient) <= 15 else None  # noqa: PLR2004 - E.164


def _sighting(message: InboundMessage, portfolio: str) -> Sighting:
    names = (message.profile_name or "", message.username or "")
    change = message.details
    if isinstance(change, System) and (change.phone or change.user_id):
        return Sighting(
            portfolio,
            change.phone or message.sender,
            change.user_id or message.sender_user_id,
            *names,
            previous_phone=message.sender,
            previous_user_id=change.previous_user_id,
        )
    return Sighting(portfolio, message.sender, message.sender_user_id, *names)
