"""Masking of phone numbers, wamids and error details in log text.

Nothing should reach it: who logs, logs our own ids. What does all the same is taken out here: what PostgreSQL quotes,
phone numbers, wamids (which hold one), and keys and tokens.
"""

import re

# PostgreSQL quotes the row that it refused, line breaks and all: `DETAIL:  Failing row contains (…)`. It ends where the
# traceback goes on. In a repr the line break before it is an escaped one.
_DETAIL = re.compile(
    r"(?:\\n|\n)?\s*(?:DETAIL|CONTEXT|QUERY):.*?(?=\n(?:Traceback |  File |During handling |The above )|\Z)",
    re.DOTALL,
)
_WAMID = re.compile(r"wamid\.[\w+/=-]+")
# Our API keys, Meta's access tokens, and what follows `Bearer` or is a parameter that is called a token.
_SECRET = re.compile(r"\bwak_\w+|\bEAA[A-Za-z0-9]{16,}|(?<=Bearer )\S+|(?<=token=)[^&\s\"']+")
# A phone number, alone or behind a plus, in groups too where it has one. Our own ids and times hold no such run of
# digits: a UUID's groups touch letters or hyphens.
_PHONE = re.compile(r"(?:\+|%2[Bb])\d(?:[ ().-]{0,2}\d){6,14}(?!\d)|(?<![0-9A-Za-z.-])\d{8,15}(?![\w-]|\.\d)")
# Without one of these nothing above can match: most values of most lines are told by that.
_DIGITS = re.compile(r"\d{8}|\+\d|%2[Bb]\d")
LONGEST_NUMBER = 10**7
MASK = "…"


def mask(text: str) -> str:
    """The text without any of it."""
    if "DETAIL" in text or "CONTEXT" in text or "QUERY" in text:
        text = _DETAIL.sub("", text).rstrip("\n")
    if "wamid." in text:
        text = _WAMID.sub(f"wamid.{MASK}", text)
    if "wak_" in text or "EAA" in text or "Bearer " in text or "token=" in text:
        text = _SECRET.sub(MASK, text)
    return _PHONE.sub(MASK, text) if _DIGITS.search(text) else text


def masked(value: object) -> object:
    """A value of a line: texts masked, also inside lists and mappings; whole numbers as long as a phone number too."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, bool | float | None):
        return value
    if isinstance(value, int):
        return MASK if abs(value) >= LONGEST_NUMBER else value
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(item) for item in value]
    if isinstance(value, dict):
        return {mask(str(key)): masked(item) for key, item in value.items()}
    return mask(str(value))
