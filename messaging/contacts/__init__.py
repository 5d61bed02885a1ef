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
    InvalidPhoneNumber,
)
from messaging.contacts.recipients import (
    recipient,
)

__all__ = [
    "STOPPED_CONTACTS",
    "STOPPED_MARKETING",
    "Addressed",
    "InvalidPhoneNumber",
    "StopRow",
    "Word",
    "learn_category",
    "learn_from_statuses",
    "note_words",
    "people_of",
    "recipient",
    "refusals",
    "stops_by_key",
    "stops_of",
]
