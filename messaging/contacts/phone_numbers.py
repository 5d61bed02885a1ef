"""Phone numbers of recipients: impossible ones are refused, unknown ones get a warning."""

import re
from collections.abc import Collection
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, ValidationResult

from messaging.whatsapp.recipients import canonical, is_phone

# E.164 allows 15 digits; the shortest international numbers in use have 7.
MIN_DIGITS, MAX_DIGITS = 7, 15
# phonenumbers also reads words as digits and extensions ("ext. 12", "#12"), of which the message would lose the end.
_WRITTEN = re.compile("[+]?[0-9 \u00a0().\u2010-\u2015-]+")
# The warning about a number that no country has assigned.
DOUBTFUL = "phone_number is not a valid number of any country; WhatsApp will probably refuse it."
NOT_A_NUMBER = "Not a phone number in international form, such as +15551234567."


class InvalidPhoneNumber(ValueError):
    """No phone has this number; the text says why and never quotes it."""


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """Digits without the plus, as the Cloud API takes them, and a warning about them (empty: none)."""

    digits: str
    warning: str = ""


def digits_of(text: str) -> str:
    """The digits as they are written, separators and plus left out; empty where other characters are among them."""
    text = text.strip()
    digits = "".join(re.findall("[0-9]", text)) if _WRITTEN.fullmatch(text) else ""
    return digits if is_phone(digits) else ""


def parse(text: str, known: Collection[str] = ()) -> PhoneNumber:
    """Read a number in international form, `+` and separators optional. Raises InvalidPhoneNumber.

    A number that is in `known` (canonical form) exists, whatever the numbering plan says of it. A number is judged by
    its canonical spelling, and keeps its own.
    """
    digits = digits_of(text)
    if digits and canonical(digits) in known:
        return PhoneNumber(digits)
    if not _WRITTEN.fullmatch(text.strip()):
        raise InvalidPhoneNumber(NOT_A_NUMBER)
    try:
        number = phonenumbers.parse("+" + text.strip().removeprefix("+"))
    except NumberParseException:
        raise InvalidPhoneNumber(NOT_A_NUMBER) from None
    digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")
    if not MIN_DIGITS <= len(digits) <= MAX_DIGITS:
        raise InvalidPhoneNumber(f"An international number has {MIN_DIGITS} to {MAX_DIGITS} digits, country included.")
    if (key := canonical(digits)) != digits:
        number = phonenumbers.parse("+" + key)
    if phonenumbers.is_possible_number_with_reason(number) == ValidationResult.TOO_LONG:
        raise InvalidPhoneNumber("The number is too long for its country.")
    if not phonenumbers.is_valid_number(number):
        return PhoneNumber(digits, DOUBTFUL)
    return PhoneNumber(digits)
