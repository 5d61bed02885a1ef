"""Contacts: who is at the other end, under which numbers and names, and their consent."""

from messaging.contacts.consent import (
    MARKETING,
    STOPPED_MARKETING,
    Word,
    learn_category,
    learn_from_statuses,
    note_words,
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
    "MARKETING",
    "STOPPED_MARKETING",
    "InvalidPhoneNumber",
    "Word",
    "learn_category",
    "learn_from_statuses",
    "note_words",
    "people_of",
    "recipient",
]
