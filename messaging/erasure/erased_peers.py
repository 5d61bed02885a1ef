"""The word that stands instead of an erased person's number: its country, which figures need, then a random part."""

import re
import secrets
from collections.abc import Callable, Iterable

import phonenumbers

from messaging.lifecycle import ERASED_PEER

_CODES = frozenset(str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
# Several countries share these codes: more digits tell them apart.
_DIGITS = {"1": 4, "7": 2}
_USER_ID = re.compile(r"[A-Z]{2}[.]")


def erased_words(peers: Iterable[str]) -> Callable[[str], str]:
    """The word for each address that a person's messages have: one word for a number and the user ids of its country,
    so that the messages stay together."""
    token = secrets.token_hex(8)
    of_numbers = sorted({_country_of(peer) for peer in peers if peer.isdigit()} - {""})

    def word(peer: str) -> str:
        country = _country_of(peer)
        if _USER_ID.match(peer):
            code = str(phonenumbers.country_code_for_region(peer[:2]))
            country = next((one for one in of_numbers if one.startswith(code)), country)
        return f"{ERASED_PEER}+{country}:{token}" if country else f"{ERASED_PEER}{token}"

    return word


def _country_of(peer: str) -> str:
    """The beginning of an address that says its country; empty where none does."""
    if _USER_ID.match(peer):
        return peer[:3]
    code = next((peer[:digits] for digits in (1, 2, 3) if peer[:digits] in _CODES), "")
    return peer[: _DIGITS.get(code, len(code))]
