"""Markets: the rows of Meta's rate cards, by the recipient's country calling code.

https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing, "Country calling codes", as of
2026-09-11, and its "Rate card updates effective October 1, 2026". Each quarter Meta may move a country out of its
region to a row of its own: `REGION_OF` has these, with the region whose row prices them on cards from before. What
countries share:

- +1: Meta lists the United States and Canada as North America, and the Dominican Republic, Jamaica and Puerto Rico as
  Rest of Latin America. The other countries of +1 are not listed, so they are Other.
- +7 is Russia, but for Kazakhstan's prefixes since October 2026; +44 is the United Kingdom: Meta lists nobody else
  there (Guernsey, Jersey, Isle of Man).
"""

import json
from functools import cache
from typing import Any

import phonenumbers

from analytics.rollups.contact_addresses import PERHAPS_MARK, address, address_of

OTHER, NORTH_AMERICA, LATIN_AMERICA = "Other", "North America", "Rest of Latin America"

_AFRICA, _ASIA, _MIDDLE_EAST = "Rest of Africa", "Rest of Asia Pacific", "Rest of Middle East"
_EASTERN_EUROPE, _RUSSIA = "Rest of Central & Eastern Europe", "Russia"
_CODES: dict[str, str] = {
    "Argentina": "54", "Bangladesh": "880", "Brazil": "55", "Chile": "56", "Colombia": "57", "Egypt": "20",
    "France": "33", "Germany": "49", "Hong Kong": "852", "Hungary": "36", "India": "91", "Indonesia": "62",
    "Iraq": "964", "Israel": "972", "Italy": "39", "Kazakhstan": "76 77", "Kuwait": "965", "Malaysia": "60",
    "Mexico": "52", "Morocco": "212", "Nepal": "977", "Netherlands": "31", "Nigeria": "234", "Oman": "968",
    "Pakistan": "92", "Peru": "51", "Poland": "48", "Qatar": "974", "Romania": "40", _RUSSIA: "7",
    "Saudi Arabia": "966", "Singapore": "65", "South Africa": "27", "Spain": "34", "Sri Lanka": "94", "Turkey": "90",
    "Ukraine": "380", "United Arab Emirates": "971", "United Kingdom": "44",
    NORTH_AMERICA: "1",
    _AFRICA: "211 213 216 218 220 221 222 223 225 226 227 228 229 231 232 233 235 237 241 242 244 245 249 250 251 252 "
    "254 255 256 257 258 260 261 263 264 265 266 267 268 291",
    _ASIA: "61 63 64 66 81 84 86 93 675 855 856 886 976 992 993 998",
    _EASTERN_EUROPE: "30 355 359 370 371 373 374 375 381 385 386 389 420 421 994 995",
    LATIN_AMERICA: "58 502 503 504 505 506 507 509 591 593 595 598 1658 1787 1809 1829 1849 1876 1939",
    _MIDDLE_EAST: "961 962 967 973",
    "Rest of Western Europe": "32 41 43 45 46 47 351 353 358",
    OTHER: "1242 1246 1264 1268 1284 1340 1345 1441 1473 1649 1664 1670 1671 1684 1721 1758 1767 1784 1868 1869",
}  # fmt: skip
REGION_OF = {
    # Since 2026-07-01.
    "Hong Kong": _ASIA, "Hungary": _EASTERN_EUROPE, "Poland": _EASTERN_EUROPE, "Qatar": _MIDDLE_EAST,
    "Romania": _EASTERN_EUROPE, "Singapore": _ASIA,
    # Since 2026-10-01.
    "Bangladesh": _ASIA, "Iraq": _MIDDLE_EAST, "Kazakhstan": _RUSSIA, "Kuwait": _MIDDLE_EAST, "Morocco": _AFRICA,
    "Nepal": _ASIA, "Oman": _MIDDLE_EAST, "Sri Lanka": _ASIA, "Ukraine": _EASTERN_EUROPE,
}  # fmt: skip
MARKETS = frozenset(_CODES)
_BY_CODE = {code: market for market, codes in _CODES.items() for code in codes.split()}
# A business-scoped user id begins with the country in letters.
_REGIONS_OF_ONE = {"US": NORTH_AMERICA, "CA": NORTH_AMERICA, **dict.fromkeys(("DO", "JM", "PR"), LATIN_AMERICA)}
_REGIONS = {"KZ": "Kazakhstan"}
_BY_REGION = {
    region: _REGIONS_OF_ONE.get(region, OTHER) if code == 1 else _BY_CODE.get(str(code), OTHER)
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
    for region in regions
    if region.isalpha()
} | _REGIONS
_BY_PREFIX = {**_BY_CODE, **_BY_REGION}

_PEER = address("m.peer")
SQL = f"""COALESCE(%(markets)s::jsonb ->> left({_PEER}, 4), %(markets)s::jsonb ->> left({_PEER}, 3),
  %(markets)s::jsonb ->> left({_PEER}, 2), %(markets)s::jsonb ->> left({_PEER}, 1), 'Other')"""
PARAMETERS: dict[str, Any] = {"markets": json.dumps(_BY_PREFIX)}


def market_of(peer: str) -> str:
    """The market of a number in digits or of a user id. The same as `SQL`."""
    peer = address_of(peer)
    return next((_BY_PREFIX[peer[:n]] for n in (4, 3, 2, 1) if peer[:n] in _BY_PREFIX), OTHER)


@cache
def pattern_of(market: str) -> str:
    """A regular expression of PostgreSQL for the peers of a market: those of which `market_of` says so."""
    if market == OTHER:
        named = [_prefixes(name) for name in sorted(MARKETS - {OTHER})]
        return f"^(?!{PERHAPS_MARK}(?:{'|'.join(named)}))"
    return f"^{PERHAPS_MARK}(?:{_prefixes(market)})"


def _prefixes(market: str) -> str:
    """Its prefixes, each without the longer ones of other markets."""
    texts = []
    for prefix, owner in _BY_PREFIX.items():
        if owner == market:
            longer = [
                other[len(prefix) :]
                for other, whose in _BY_PREFIX.items()
                if whose != market and other != prefix and other.startswith(prefix)
            ]
            texts.append(prefix + (f"(?!{'|'.join(longer)})" if longer else ""))
    return "|".join(texts)
