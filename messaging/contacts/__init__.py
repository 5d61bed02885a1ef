"""Contacts: who is at the other end, under which numbers and names, and their consent."""

from messaging.contacts.consent import (
    STOPPED_MARKETING,
    Word,
    learn_category,
    learn_from_statuses,
    note_words,
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
    people_of,
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
    "InvalidPhoneNumber",
    "StopRow",
    "Word",
    "digits_of",
    "known_recipient",
    "known_recipients",
    "learn_category",
    "learn_from_statuses",
    "learn_whatsapp_ids",
    "names_of",
    "note_words",
    "people_of",
    "recipient",
    "refusal_of",
    "refusals",
    "stops_by_key",
    "stops_of",
    "withdraw_released",
]
