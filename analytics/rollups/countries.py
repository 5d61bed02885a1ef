"""Country calling codes: where a message went, by the number's first digits."""

import json
import re
from typing import Any

import phonenumbers

from analytics.rollups.contact_addresses import PERHAPS_MARK, address, address_of

CODES = frozenset(str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
# No code begins with another one, so the first that fits is the one.
ONE, TWO, THREE = (sorted(code for code in CODES if len(code) == digits) for digits in (1, 2, 3))
# A business-scoped user id begins with its country in letters.
OF_REGION = {
    region: str(code) for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items() for region in regions
}

_USER_ID = re.compile(r"[A-Z]{2}[.]")

_PEER = address("m.peer")
SQL = f"""
  CASE WHEN {_PEER} ~ '^[A-Z]{{2}}[.]' THEN COALESCE(%(of_region)s::jsonb ->> left({_PEER}, 2), '')
    WHEN left({_PEER}, 1) = ANY(%(one)s) THEN left({_PEER}, 1)
    WHEN left({_PEER}, 2) = ANY(%(two)s) THEN left({_PEER}, 2)
    WHEN left({_PEER}, 3) = ANY(%(three)s) THEN left({_PEER}, 3)
    ELSE '' END"""
PARAMETERS: dict[str, Any] = {"one": ONE, "two": TWO, "three": THREE, "of_region": json.dumps(OF_REGION)}


def country_of(peer: str) -> str:
    """The calling code of a number in digits or of a user id; empty where it has none. The same as `SQL`."""
    peer = address_of(peer)
    if _USER_ID.match(peer):
        return OF_REGION.get(peer[:2], "")
    return next((peer[:digits] for digits in (1, 2, 3) if peer[:digits] in CODES), "")


def pattern_of_country(code: str) -> str:
    """A regular expression of PostgreSQL for the peers of a country: those of which `country_of` says this code."""
    regions = [f"{region}[.]" for region, found in OF_REGION.items() if found == code and region.isalpha()]
    return f"^{PERHAPS_MARK}(?:{'|'.join([re.escape(code), *regions])})"
