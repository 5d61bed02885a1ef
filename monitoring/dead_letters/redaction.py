"""Redaction of arbitrary JSON: keeps its structure and our ids, removes message texts and phone numbers.

Keeps only what is known to be harmless: numbers that are too short for a phone number, UUIDs, times, and single words
under keys that never hold personal data. Reading dead letters in full needs a permission of its own.
"""

import re
from typing import Any

from waproject.logs.masking import LONGEST_NUMBER, MASK, mask

MAX_ITEMS = 20
MAX_DEPTH = 12
EXCERPT_LENGTH = 400
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.+Z-]{5,25}")
_KEY = re.compile(r"[A-Za-z_$][\w$.:-]{0,60}")
_WORD = re.compile(r"[A-Za-z][\w.:/+-]{0,60}")
_SECONDS = re.compile(r"1\d{9}(\d{3})?")
# Keys whose values are constants of Meta, AWS or this project.
_HARMLESS = {
    "object", "field", "type", "status", "messaging_product", "event", "event_type", "source", "task", "lang",
    "content-type", "content-encoding", "Type", "eventSource", "eventName", "eventVersion", "TopicArn",
    "error_code", "code", "category", "origin",
}  # fmt: skip
_TIMES = {"timestamp", "expiration_timestamp"}
# API clients choose the keys inside these; a key may be a person's name.
_FREE_KEYS = {"data", "event_data"}


def redacted(value: Any, name: str = "", depth: int = 0, *, free_keys: bool = False) -> Any:
    """Decoded JSON, redacted, in the same structure. `name`: the value's key; `free_keys`: hides keys too."""
    if isinstance(value, dict | list | tuple):
        return _redacted_items(value, name, depth, free_keys or name in _FREE_KEYS)
    if isinstance(value, str):
        return value if _is_harmless(value, name) else _length(value)
    if isinstance(value, bool | None) or abs(value) < LONGEST_NUMBER:
        return value
    return MASK


def _redacted_items(value: Any, name: str, depth: int, free_keys: bool) -> Any:
    more = len(value) - MAX_ITEMS
    if depth >= MAX_DEPTH:
        return f"{MASK} ({len(value)})"
    if isinstance(value, dict):
        shown = {
            f"{MASK} {number}" if free_keys else _key(key): redacted(item, key, depth + 1, free_keys=free_keys)
            for number, (key, item) in enumerate(list(value.items())[:MAX_ITEMS], 1)
        }
        return shown | ({MASK: f"{more} more"} if more > 0 else {})
    items = [redacted(item, name, depth + 1, free_keys=free_keys) for item in value[:MAX_ITEMS]]
    return items + ([f"{MASK} {more} more"] if more > 0 else [])


def redacted_text(text: str) -> str:
    """The beginning of a text that is not JSON, with letters as x and digits as 0: shows its form and no word."""
    excerpt = re.sub(r"\d", "0", re.sub(r"[^\W\d_]", "x", text[:EXCERPT_LENGTH]))
    return f"{excerpt}{MASK}" if len(text) > EXCERPT_LENGTH else excerpt


def _is_harmless(text: str, name: str) -> bool:
    if _UUID.fullmatch(text) or _TIME.fullmatch(text):
        return True
    if name in _TIMES:
        return bool(_SECONDS.fullmatch(text))
    return name in _HARMLESS and bool(_WORD.fullmatch(text)) and mask(text) == text


def _key(key: object) -> str:
    text = str(key)
    return text if _KEY.fullmatch(text) and mask(text) == text else _length(text)


def _length(text: str) -> str:
    return f"{MASK} ({len(text)} characters)" if text else ""
