"""Country calling codes: where a message went, by the number's first digits."""

import json
import re
from typing import Any

from analytics.rollups.contact_addresses import PERHAPS_MARK, address, address_of
from messaging.whatsapp.calling_codes import CODES, OF_REGION, calling_code

ONE, TWO, THREE = (sorted(code for code in CODES if len(code) == digits) for digits in (1, 2, 3))
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
    return calling_code(address_of(peer))


def pattern_of_country(code: str) -> str:
    """A regular expression of PostgreSQL for the peers of a country: those of which `country_of` says this code."""
    regions = [f"{region}[.]" for region, found in OF_REGION.items() if found == code and region.isalpha()]
    return f"^{PERHAPS_MARK}(?:{'|'.join([re.escape(code), *regions])})"
