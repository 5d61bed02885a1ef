"""Ids of events: made from the client's own, so that the same event sent again is stored once."""

from uuid import UUID, uuid5

from messaging.contacts import MAX_DIGITS, MIN_DIGITS, digits_of
from messaging.identifiers import uuid7
from messaging.whatsapp.recipients import canonical, is_bsuid

# The namespace in which a client and its id of an event become ours; an arbitrary constant.
EVENTS = UUID("0f5a9f7e-6a55-5f0e-8a39-2c4d1d4b7c61")
NO_CONTACT = "A phone number in international form, such as +15551234567, or a business-scoped user id."


def event_key(event_id: str, owner: str) -> UUID:
    """Our id of an event: the client's if it is a UUID, else one derived from client and id; a new one without any.

    `owner` is whose id it is: two clients may use the same.
    """
    if not event_id:
        return uuid7()
    try:
        return UUID(event_id)
    except ValueError:
        return uuid5(EVENTS, f"{owner}\n{event_id}")


def contact_key(text: str) -> str:
    """The form in which messages name a person. Raises ValueError for anything else."""
    text = text.strip()
    if is_bsuid(text):
        return text
    digits = digits_of(text)
    if not MIN_DIGITS <= len(digits) <= MAX_DIGITS:
        raise ValueError(NO_CONTACT)
    return canonical(digits)
