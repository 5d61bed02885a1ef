"""The recipient of a send: a phone number or a business-scoped user id."""

from messaging.contacts.phone_numbers import PhoneNumber, parse
from messaging.whatsapp.recipients import is_bsuid


def recipient(text: str) -> PhoneNumber:
    """What stands in a message's `peer`, and what is odd about it. Raises InvalidPhoneNumber."""
    text = text.strip()
    return PhoneNumber(text) if is_bsuid(text) else parse(text)
