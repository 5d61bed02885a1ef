"""The two names a WhatsApp user goes by: a phone number, or an id that only this business portfolio knows.

Since 2026 users may hide their number behind a username; webhooks then carry a business-scoped user id (BSUID) such
as ``US.13491208655302741918``, a parent's as ``US.ENT.<...>``.
https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
"""

import re

_BSUID = re.compile(r"[A-Z]{2}\.(ENT\.)?[0-9A-Za-z]{1,128}")
# E.164 has 15 digits at most.
_PHONE = re.compile(r"[0-9]{1,15}")


def is_bsuid(text: str) -> bool:
    """Whether this is a business-scoped user id."""
    return _BSUID.fullmatch(text) is not None


def is_phone(text: str) -> bool:
    """Whether this is a number in E.164 form without its plus sign: digits alone."""
    return _PHONE.fullmatch(text) is not None


# Two countries have numbers that WhatsApp writes in two ways. Brazil's mobiles got a ninth digit that older accounts
# lack; Mexico's had a 1 after the country code until 2019. Landlines in Brazil (2 to 5) have no ninth digit.
_VARIANTS = (
    (re.compile(r"55([1-9][0-9])([6-9][0-9]{7})"), r"55\g<1>9\g<2>"),
    (re.compile(r"521([0-9]{10})"), r"52\g<1>"),
)


def canonical(phone: str) -> str:
    """The one way to write a number in digits, so that its variants meet."""
    for pattern, written in _VARIANTS:
        if pattern.fullmatch(phone):
            return pattern.sub(written, phone)
    return phone
