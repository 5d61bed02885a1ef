"""Addresses of WhatsApp users: phone numbers, and business-scoped user ids (BSUIDs).

Since 2026 users may hide their number behind a username; webhooks then carry a business-scoped user id (BSUID) such
as ``US.13491208655302741918``, a parent's as ``US.ENT.<...>``.
https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
"""

import re
from dataclasses import dataclass

_BSUID = re.compile(r"[A-Z]{2}\.(ENT\.)?[0-9A-Za-z]{1,128}")
# E.164 has 15 digits at most, but a webhook's sender may have more, and then it is still the only address of that user.
MAX_DIGITS = 32
_PHONE = re.compile(rf"[0-9]{{1,{MAX_DIGITS}}}")


def is_bsuid(text: str) -> bool:
    """Whether this is a business-scoped user id."""
    return _BSUID.fullmatch(text) is not None


def is_phone(text: str) -> bool:
    """Whether this is a phone number as WhatsApp writes it: digits alone, country code first, no plus sign."""
    return _PHONE.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class _Spellings:
    """Two spellings of one number: `canonical` is the number that people dial today, `other` the alternative."""

    other: re.Pattern[str]
    to_canonical: str
    canonical: re.Pattern[str]
    to_other: str


# The countries whose numbers WhatsApp and people write in two ways.
_COUNTRIES = (
    # Brazil's mobiles got a ninth digit that older accounts lack. Landlines (2 to 5) have none.
    _Spellings(
        re.compile(r"55([1-9][0-9])([6-9][0-9]{7})"), r"55\g<1>9\g<2>",
        re.compile(r"55([1-9][0-9])9([6-9][0-9]{7})"), r"55\g<1>\g<2>",
    ),
    # Mexico's mobiles had a 1 after the country code until 2019; WhatsApp still writes it.
    _Spellings(re.compile(r"521([0-9]{10})"), r"52\g<1>", re.compile(r"52([0-9]{10})"), r"521\g<1>"),
    # Argentina's mobiles have a 9 after the country code that is left out within the country. Area codes begin with
    # 1, 2 or 3.
    _Spellings(
        re.compile(r"54([1-3][0-9]{9})"), r"549\g<1>",
        re.compile(r"549([1-3][0-9]{9})"), r"54\g<1>",
    ),
)  # fmt: skip


def canonical(peer: str) -> str:
    """The spelling of a number under which messages and contacts are stored; a user id is returned unchanged."""
    for country in _COUNTRIES:
        if match := country.other.fullmatch(peer):
            return match.expand(country.to_canonical)
    return peer


def spellings(peer: str) -> frozenset[str]:
    """All spellings of a number, including the given one; a user id has one."""
    key = canonical(peer)
    others = (match.expand(country.to_other) for country in _COUNTRIES if (match := country.canonical.fullmatch(key)))
    return frozenset((key, peer, *others))
