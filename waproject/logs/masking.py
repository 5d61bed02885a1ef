"""Masking of phone numbers, user ids, wamids and error details in log text.

This is a safety net: code logs our own ids only. It removes rows that PostgreSQL quotes, phone numbers, ids of WhatsApp
users (BSUIDs), wamids (which contain a number), keys and tokens.
"""

import re

# PostgreSQL quotes a refused row with its line breaks: `DETAIL:  Failing row contains (…)`. The quote ends where the
# traceback continues. In a repr the line break before it is escaped. The blanks before it have a limit: else the search
# would begin anew at each blank of a text, and take a minute for 60,000 of them.
_DETAIL = re.compile(
    r"(?:\\n|\n)?\s{0,9}(?:DETAIL|CONTEXT|QUERY):.*?(?=\n(?:Traceback |  File |During handling |The above )|\Z)",
    re.DOTALL,
)
_WAMID = re.compile(r"wamid\.[\w+/=%-]+")
# With a digit: a word after a full stop has none.
_BSUID = re.compile(r"\b[A-Z]{2}\.(?:ENT\.)?(?=[A-Za-z]{0,120}\d)[0-9A-Za-z]{8,128}")
# Our API keys, Meta's access tokens, values after `Bearer`, and query parameters whose name ends with `token`.
_SECRET = re.compile(r"\bwak_\w+|\bEAA[A-Za-z0-9]{16,}|(?<=Bearer )\S+|(?<=token=)[^&\s\"']+")
# Between the groups of a number, on one line: blanks, brackets, hyphens and the like, also as a URL escapes them.
_GROUP = r"(?:[^\S\r\n]|[().+/\u2010-\u2015-]|%20|%2[89D]|%C2%A0)"
# A phone number: digits alone, or a plus with digits that may be grouped. Our own ids and times do not match: a UUID's
# groups are next to letters or hyphens. The longest has 32 digits, as in messaging/whatsapp/recipients.py.
_PHONE = re.compile(
    rf"(?:\+|%2B)\d(?:{_GROUP}{{0,3}}\d){{6,31}}(?!\d)|(?<![0-9A-Za-z.-])\d{{8,32}}(?![\w-]|\.\d)", re.I
)
# A cheap check: without a match here no phone number can match.
_DIGITS = re.compile(r"\d{8}|\+\d|%2[Bb]\d")
LONGEST_NUMBER = 10**7
MASK = "…"
MAX_DEPTH = 20


def mask(text: str) -> str:
    """The text with personal data and secrets removed."""
    if "DETAIL" in text or "CONTEXT" in text or "QUERY" in text:
        text = _DETAIL.sub("", text).rstrip("\n")
    if "wamid." in text:
        text = _WAMID.sub(f"wamid.{MASK}", text)
    if "." in text:
        text = _BSUID.sub(MASK, text)
    if "wak_" in text or "EAA" in text or "Bearer " in text or "token=" in text:
        text = _SECRET.sub(MASK, text)
    return _PHONE.sub(MASK, text) if _DIGITS.search(text) else text


def masked(value: object, depth: int = MAX_DEPTH) -> object:
    """A field's value with texts masked, also inside lists and mappings, and integers as long as a phone number.

    What is nested deeper than `depth` is masked as a whole: logging re-raises a RecursionError of its formatter.
    """
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, bool | float | None) or (isinstance(value, int) and abs(value) < LONGEST_NUMBER):
        return value
    if depth < 0 or isinstance(value, int):
        return MASK
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(item, depth - 1) for item in value]
    if isinstance(value, dict):
        return {mask(str(key)): masked(item, depth - 1) for key, item in value.items()}
    return mask(str(value))
