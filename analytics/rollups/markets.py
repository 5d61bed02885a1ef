"""Markets: the rows of Meta's rate cards, by the recipient's country calling code.

https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing, "Country calling codes". The
codes that countries share:

- +1: Meta lists the United States and Canada as North America, and the Dominican Republic, Jamaica and Puerto Rico as
  Rest of Latin America. The other countries of +1 are not listed, so they are Other.
- +7 is Russia and +44 the United Kingdom: Meta lists nobody else there (Kazakhstan; Guernsey, Jersey, Isle of Man).
"""

import json
from typing import Any

import phonenumbers

OTHER, NORTH_AMERICA, LATIN_AMERICA = "Other", "North America", "Rest of Latin America"

_CODES: dict[str, str] = {
    "Argentina": "54", "Brazil": "55", "Chile": "56", "Colombia": "57", "Egypt": "20", "France": "33",
    "Germany": "49", "India": "91", "Indonesia": "62", "Israel": "972", "Italy": "39", "Malaysia": "60",
    "Mexico": "52", "Netherlands": "31", "Nigeria": "234", "Pakistan": "92", "Peru": "51", "Russia": "7",
    "Saudi Arabia": "966", "South Africa": "27", "Spain": "34", "Turkey": "90", "United Arab Emirates": "971",
    "United Kingdom": "44",
    NORTH_AMERICA: "1",
    "Rest of Africa": "211 212 213 216 218 220 221 222 223 225 226 227 228 229 231 232 233 237 241 242 244 245 249 250 "
    "251 252 254 255 256 257 258 260 261 263 264 265 266 267 268 291",
    "Rest of Asia Pacific": "61 63 64 65 66 81 84 86 93 94 675 852 855 856 880 886 976 977 992 993 998",
    "Rest of Central & Eastern Europe": "30 36 40 48 355 359 370 371 373 374 375 380 381 385 386 389 420 421 994 995",
    LATIN_AMERICA: "58 502 503 504 505 506 507 509 591 593 595 598 1658 1787 1809 1829 1849 1876 1939",
    "Rest of Middle East": "961 962 964 965 967 968 973 974",
    "Rest of Western Europe": "32 41 43 45 46 47 351 353 358",
    OTHER: "1242 1246 1264 1268 1284 1340 1345 1441 1473 1649 1664 1670 1671 1684 1721 1758 1767 1784 1868 1869",
}  # fmt: skip
MARKETS = frozenset(_CODES)
_BY_CODE = {code: market for market, codes in _CODES.items() for code in codes.split()}
# A business-scoped user id begins with the country in letters.
_REGIONS_OF_ONE = {"US": NORTH_AMERICA, "CA": NORTH_AMERICA, **dict.fromkeys(("DO", "JM", "PR"), LATIN_AMERICA)}
_BY_REGION = {
    region: _REGIONS_OF_ONE.get(region, OTHER) if code == 1 else _BY_CODE.get(str(code), OTHER)
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
    for region in regions
    if region.isalpha()
}
_BY_PREFIX = {**_BY_CODE, **_BY_REGION}

SQL = """COALESCE(%(markets)s::jsonb ->> left(m.peer, 4), %(markets)s::jsonb ->> left(m.peer, 3),
  %(markets)s::jsonb ->> left(m.peer, 2), %(markets)s::jsonb ->> left(m.peer, 1), 'Other')"""
PARAMETERS: dict[str, Any] = {"markets": json.dumps(_BY_PREFIX)}


def market_of(peer: str) -> str:
    """The market of a number in digits or of a user id. The same as `SQL`."""
    return next((_BY_PREFIX[peer[:n]] for n in (4, 3, 2, 1) if peer[:n] in _BY_PREFIX), OTHER)
