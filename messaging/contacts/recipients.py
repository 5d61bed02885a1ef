"""The recipient of a send: a phone number or a business-scoped user id."""

from collections.abc import Collection, Iterable

from messaging.contacts.phone_numbers import InvalidPhoneNumber, PhoneNumber, digits_of, parse
from messaging.contacts.whatsapp_ids import known_numbers
from messaging.whatsapp.recipients import is_bsuid


def parse_recipient(text: str, known: Collection[str] = ()) -> PhoneNumber:
    """Parse the recipient that a client names; the result may hold a warning. Raises InvalidPhoneNumber.

    `known`: numbers that exist, whatever their country's numbering plan says (see `known_recipients`).
    """
    text = text.strip()
    return PhoneNumber(text) if is_bsuid(text) else parse(text, known)


def known_recipients(texts: Iterable[str]) -> set[str]:
    """The numbers among these that have written to us or that Meta has confirmed, in canonical form. One query."""
    return known_numbers(filter(None, map(digits_of, texts)))


def known_recipient(text: str) -> PhoneNumber:
    """As `parse_recipient`; looks a number up in the database if its country's numbering plan does not have it."""
    try:
        return parse_recipient(text)
    except InvalidPhoneNumber:
        if not (known := known_recipients([text])):
            raise
        return parse_recipient(text, known)
