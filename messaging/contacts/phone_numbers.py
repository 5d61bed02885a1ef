"""Phone numbers of recipients: impossible numbers are refused, unassigned ones get a warning."""

import re
from collections.abc import Collection
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, ValidationResult

from messaging.whatsapp.recipients import canonical, is_phone

# E.164 allows 15 digits; the shortest international numbers in use have 7.
MIN_DIGITS, MAX_DIGITS = 7, 15
# phonenumbers also accepts letters for digits, and extensions ("ext. 12", "#12"), which WhatsApp numbers do not have.
_PHONE_CHARACTERS = re.compile("[+]?[0-9 \u00a0().\u2010-\u2015-]+")
# The warning about a number that is in no country's numbering plan.
UNASSIGNED_NUMBER = "phone_number is not a valid number of any country; WhatsApp will probably refuse it."
NOT_A_NUMBER = "Not a phone number in international form, such as +15551234567."


class InvalidPhoneNumber(ValueError):
    """The text cannot be a phone number; the message says why and never quotes it."""


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """Digits without the plus, as the Cloud API takes them, or a user id; and a warning (empty: none)."""

    digits: str
    warning: str = ""


def digits_of(text: str) -> str:
    """The digits without separators and plus; empty if the text holds other characters."""
    text = text.strip()
    digits = "".join(re.findall("[0-9]", text)) if _PHONE_CHARACTERS.fullmatch(text) else ""
    return digits if is_phone(digits) else ""


def parse(text: str, known: Collection[str] = ()) -> PhoneNumber:
    """Read a number in international form, `+` and separators optional. Raises InvalidPhoneNumber.

    A number in `known` (canonical form) is accepted, whatever its country's numbering plan says. The checks apply to
    the canonical spelling; the result keeps the given one.
    """
    digits = digits_of(text)
    if digits and canonical(digits) in known:
        return PhoneNumber(digits)
    if not _PHONE_CHARACTERS.fullmatch(text.strip()):
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
        return PhoneNumber(digits, UNASSIGNED_NUMBER)
    return PhoneNumber(digits)
