"""Contacts: who is at the other end, under which numbers and names, and their consent."""

from messaging.contacts.consent import (
    STOPPED_MARKETING,
    ConsentChange,
    learn_category,
    learn_from_statuses,
    record_consent,
)
from messaging.contacts.consent_checks import (
    STOPPED_CONTACTS,
    Addressed,
    StopRow,
    refusals,
    stops_by_key,
    stops_of,
)
from messaging.contacts.contact_updates import (
    update_contacts,
)
from messaging.contacts.phone_numbers import (
    DOUBTFUL,
    InvalidPhoneNumber,
    digits_of,
)
from messaging.contacts.recipients import (
    known_recipient,
    known_recipients,
    recipient,
)
from messaging.contacts.whatsapp_ids import (
    learn_whatsapp_ids,
    names_of,
)
from messaging.contacts.withdrawal import (
    refusal_of,
    withdraw_released,
)

__all__ = [
    "DOUBTFUL",
    "STOPPED_CONTACTS",
    "STOPPED_MARKETING",
    "Addressed",
    "ConsentChange",
    "InvalidPhoneNumber",
    "StopRow",
    "digits_of",
    "known_recipient",
    "known_recipients",
    "learn_category",
    "learn_from_statuses",
    "learn_whatsapp_ids",
    "names_of",
    "recipient",
    "record_consent",
    "refusal_of",
    "refusals",
    "stops_by_key",
    "stops_of",
    "update_contacts",
    "withdraw_released",
]
