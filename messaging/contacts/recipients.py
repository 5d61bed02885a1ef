"""Who a message goes to: a phone number, or the business-scoped user id of somebody who shows none."""

from messaging.contacts.phone_numbers import PhoneNumber, parse
from messaging.whatsapp.recipients import is_bsuid


def recipient(text: str) -> PhoneNumber:
    """What stands in a message's `peer`, and what is odd about it. Raises InvalidPhoneNumber."""
    text = text.strip()
    return PhoneNumber(text) if is_bsuid(text) else parse(text)
