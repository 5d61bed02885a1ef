"""Phone numbers of recipients: impossible ones are refused, unknown ones get a warning."""

import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, ValidationResult

# E.164 allows 15 digits; the shortest international numbers in use have 7.
MIN_DIGITS, MAX_DIGITS = 7, 15
# phonenumbers also reads words as digits and extensions ("ext. 12", "#12"), of which the message would lose the end.
_WRITTEN = re.compile("[+]?[0-9 \u00a0().\u2010-\u2015-]+")


class InvalidPhoneNumber(ValueError):
    """No phone has this number; the text says why and never quotes it."""


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """E.164 digits without the plus, as the Cloud API takes them, and what is odd about them (empty: nothing)."""

    digits: str
    warning: str = ""


def parse(text: str) -> PhoneNumber:
    """Read a number in international form, `+` and separators optional. Raises InvalidPhoneNumber."""
    text = text.strip()
    if not _WRITTEN.fullmatch(text):
        raise InvalidPhoneNumber("Not a phone number in international form, such as +15551234567.")
    try:
        number = phonenumbers.parse("+" + text.removeprefix("+"))
    except NumberParseException:
        raise InvalidPhoneNumber("Not a phone number in international form, such as +15551234567.") from None
    digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")
    if not MIN_DIGITS <= len(digits) <= MAX_DIGITS:
        raise InvalidPhoneNumber(f"An international number has {MIN_DIGITS} to {MAX_DIGITS} digits, country included.")
    if phonenumbers.is_possible_number_with_reason(number) == ValidationResult.TOO_LONG:
        raise InvalidPhoneNumber("The number is too long for its country.")
    if not phonenumbers.is_valid_number(number):
        return PhoneNumber(
            digits, "phone_number is not a valid number of any country; WhatsApp will probably refuse it."
        )
    return PhoneNumber(digits)
