"""The recipient of a send: a phone number or a business-scoped user id."""

from collections.abc import Collection, Iterable

from messaging.contacts.phone_numbers import InvalidPhoneNumber, PhoneNumber, digits_of, parse
from messaging.contacts.whatsapp_ids import known_numbers
from messaging.whatsapp.recipients import is_bsuid


def recipient(text: str, known: Collection[str] = ()) -> PhoneNumber:
    """The recipient that a client names, and a warning about it. Raises InvalidPhoneNumber.

    `known`: numbers that exist whatever their country's numbering plan says, see `known_recipients`.
    """
    text = text.strip()
    return PhoneNumber(text) if is_bsuid(text) else parse(text, known)


def known_recipients(texts: Iterable[str]) -> set[str]:
    """Those of these numbers that have written to us, in canonical form: they can be answered. One query."""
    return known_numbers(filter(None, map(digits_of, texts)))


def known_recipient(text: str) -> PhoneNumber:
    """As `recipient`; asks the database where the numbering plan has no such number."""
    try:
        return recipient(text)
    except InvalidPhoneNumber:
        if not (known := known_recipients([text])):
            raise
        return recipient(text, known)
