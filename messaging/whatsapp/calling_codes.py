"""Country calling codes: the country of a recipient, by the first digits of a number or the region of a user id."""

import phonenumbers

CODES = frozenset(str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
# A business-scoped user id begins with its country in letters.
OF_REGION = {
    region: str(code) for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items() for region in regions
}


def calling_code(peer: str) -> str:
    """The calling code of a number in digits or of a user id; empty where it has none."""
    if peer[2:3] == ".":
        return OF_REGION.get(peer[:2], "")
    # No code begins with another one, so the first that fits is the one.
    return next((peer[:digits] for digits in (1, 2, 3) if peer[:digits] in CODES), "")
