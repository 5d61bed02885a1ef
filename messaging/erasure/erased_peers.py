"""The word that stands instead of an erased person's number: its country, which figures need, then a random part."""

import secrets
from collections.abc import Callable, Iterable

from messaging.lifecycle import ERASED_PEER, ERASED_PEER_WITH_COUNTRY
from messaging.whatsapp.calling_codes import calling_code
from messaging.whatsapp.recipients import is_bsuid

# Several countries share these codes: more digits tell them apart.
_DIGITS = {"1": 4, "7": 2}


def erased_words(peers: Iterable[str]) -> Callable[[str], str]:
    """The word for each address that a person's messages have: one word for a number and the user ids of its country,
    so that the messages stay together."""
    token = secrets.token_hex(8)
    of_numbers = sorted({_country_of(peer) for peer in peers if peer.isdigit()} - {""})

    def word(peer: str) -> str:
        country = _country_of(peer)
        if is_bsuid(peer) and (code := calling_code(peer)):
            country = next((one for one in of_numbers if one.startswith(code)), country)
        return f"{ERASED_PEER_WITH_COUNTRY}{country}:{token}" if country else f"{ERASED_PEER}{token}"

    return word


def _country_of(peer: str) -> str:
    """The beginning of an address that says its country; empty where none does."""
    if is_bsuid(peer):
        return peer[:3]
    code = calling_code(peer)
    return peer[: _DIGITS.get(code, len(code))]
