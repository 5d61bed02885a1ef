"""The normal form of a phone number: the ``wa_id`` under which WhatsApp knows a user, however the number was written.

Three countries have numbers that are dialled in one form and registered in another:

- Mexico (52): WhatsApp keeps the mobile digit 1 that the country gave up: 521 and ten digits.
- Argentina (54): WhatsApp keeps the mobile digit 9: 549 and ten digits.
- Brazil (55): mobile numbers got a ninth digit, a leading 9. Area codes 11 to 28 were first and have it; from 31 on
  WhatsApp knows the user by the eight digits of before.
"""

from __future__ import annotations

import re

_MEXICO = re.compile(r"521?(\d{10})")
_ARGENTINA = re.compile(r"549?(\d{10})")
# Mobile numbers begin with 6 to 9; landlines never got a ninth digit.
_BRAZIL = re.compile(r"55([1-9]\d)9?([6-9]\d{7})")
_LAST_AREA_WITH_NINTH_DIGIT = 28


def wa_id_of(digits: str) -> str:
    """The wa_id of a number in E.164 digits; most numbers are their own."""
    if found := _MEXICO.fullmatch(digits):
        return f"521{found[1]}"
    if found := _ARGENTINA.fullmatch(digits):
        return f"549{found[1]}"
    if found := _BRAZIL.fullmatch(digits):
        ninth = "9" if int(found[1]) <= _LAST_AREA_WITH_NINTH_DIGIT else ""
        return f"55{found[1]}{ninth}{found[2]}"
    return digits
