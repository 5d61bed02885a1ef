"""Contact updates from a webhook: senders, changed numbers, consent changes."""

from collections.abc import Iterator, Mapping, Sequence

from django.utils import timezone

from messaging.contacts.consent import MARKETING_OPT_OUT_CODE, ConsentChange, consent_keyword, record_consent
from messaging.contacts.identities import ConsentGiven, ContactUpdate, apply_contact_updates
from messaging.contacts.withdrawal import withdraw_released
from messaging.models import BusinessNumber, Contact
from messaging.whatsapp.inbound import InboundMessage, Normalised
from messaging.whatsapp.inbound.message_types import System
from messaging.whatsapp.inbound.updates import Preference

# The marketing preferences that users set in WhatsApp: True opts out.
PREFERENCES = {"stop": True, "resume": False, "signup": False}
MARKETING = "marketing_messages"


def update_contacts(
    messages: Sequence[InboundMessage], normalised: Normalised, numbers: Mapping[str, BusinessNumber]
) -> dict[str, Contact]:
    """Create and update contacts and their consent; returns the contact of each message, by wamid."""
    applied = apply_contact_updates(list(_updates(messages, normalised, numbers)))
    now = timezone.now()
    consent = [
        ConsentChange(one.contact.pk, given.opts_out, given.at or now, given.source)
        for one in applied
        if one.contact and (given := one.update.consent)
    ]
    record_consent(consent)
    withdraw_released({change.contact_id for change in consent if change.opts_out}, "webhook")
    return {one.update.wamid: one.contact for one in applied if one.contact and one.update.wamid is not None}


def _updates(
    messages: Sequence[InboundMessage], normalised: Normalised, numbers: Mapping[str, BusinessNumber]
) -> Iterator[ContactUpdate]:
    def portfolio(phone_number_id: str | None) -> str:
        number = numbers.get(phone_number_id or "")
        return number.portfolio if number else ""

    for message in messages:
        yield _sender(message, portfolio(message.phone_number_id))
    for one in normalised.preferences:
        yield ContactUpdate(portfolio(one.phone_number_id), one.phone, one.user_id, consent=_preference(one))
    for status in normalised.statuses:
        if status.error_code == MARKETING_OPT_OUT_CODE:
            yield ContactUpdate(
                portfolio(status.phone_number_id),
                _phone(status.recipient),
                status.recipient_user_id,
                consent=ConsentGiven(True, status.timestamp, str(MARKETING_OPT_OUT_CODE)),
            )
    for pair in normalised.pairs:
        yield ContactUpdate(portfolio(pair.phone_number_id), pair.phone, pair.user_id, creates=False)


def _sender(message: InboundMessage, portfolio: str) -> ContactUpdate:
    change = message.details
    changed = change if isinstance(change, System) and (change.phone or change.user_id) else None
    return ContactUpdate(
        portfolio,
        (changed and changed.phone) or message.sender,
        (changed and changed.user_id) or message.sender_user_id,
        message.profile_name or "",
        message.username or "",
        previous_phone=message.sender if changed else None,
        previous_user_id=changed.previous_user_id if changed else None,
        wamid=message.wamid,
        consent=_keyword(message),
    )


def _keyword(message: InboundMessage) -> ConsentGiven | None:
    found = consent_keyword(message)
    return ConsentGiven(found[0], message.timestamp, found[1]) if found else None


def _preference(one: Preference) -> ConsentGiven | None:
    if one.category != MARKETING or one.value not in PREFERENCES:
        return None
    return ConsentGiven(PREFERENCES[one.value], one.timestamp, "preference")


def _phone(recipient: str | None) -> str | None:
    return recipient if recipient and recipient.isdigit() and len(recipient) <= 15 else None  # noqa: PLR2004 - E.164
