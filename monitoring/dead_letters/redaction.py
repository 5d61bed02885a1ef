"""Redaction of arbitrary JSON: keeps its structure and our ids, removes message texts and phone numbers.

Everything is veiled but what is known to be harmless: numbers that are too short for a phone's, UUIDs, times, and short
words under names that hold none of a person's. Who may read dead letters in full is a permission of its own.
"""

import re
from typing import Any

from waproject.logs.masking import LONGEST_NUMBER, MASK, mask

MOST_ITEMS = 20
MOST_DEPTH = 12
EXCERPT = 400
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.+Z-]{5,25}")
_KEY = re.compile(r"[A-Za-z_$][\w$.:-]{0,60}")
_WORD = re.compile(r"[A-Za-z][\w.:/+-]{0,60}")
_SECONDS = re.compile(r"1\d{9}(\d{3})?")
# Names whose values are words of Meta's, ours or AWS's, or times.
_HARMLESS = {
    "object", "field", "type", "status", "messaging_product", "event", "event_type", "source", "task", "lang",
    "content-type", "content-encoding", "Type", "eventSource", "eventName", "eventVersion", "TopicArn",
    "error_code", "code", "category", "origin",
}  # fmt: skip
_TIMES = {"timestamp", "expiration_timestamp"}
# Their keys are an API client's own and may be anything, such as a person's name.
_FREE_KEYS = {"data", "event_data"}


def veiled(value: Any, name: str = "", depth: int = 0, *, free_keys: bool = False) -> Any:
    """Decoded JSON in the same shape. `name` is the key under which it stands; `free_keys`: its keys are hidden too."""
    if isinstance(value, dict | list | tuple):
        return _veiled_items(value, name, depth, free_keys or name in _FREE_KEYS)
    if isinstance(value, str):
        return value if _is_harmless(value, name) else _length(value)
    if isinstance(value, bool | None) or abs(value) < LONGEST_NUMBER:
        return value
    return MASK


def _veiled_items(value: Any, name: str, depth: int, free_keys: bool) -> Any:
    more = len(value) - MOST_ITEMS
    if depth >= MOST_DEPTH:
        return f"{MASK} ({len(value)})"
    if isinstance(value, dict):
        shown = {
            f"{MASK} {number}" if free_keys else _key(key): veiled(item, key, depth + 1, free_keys=free_keys)
            for number, (key, item) in enumerate(list(value.items())[:MOST_ITEMS], 1)
        }
        return shown | ({MASK: f"{more} more"} if more > 0 else {})
    items = [veiled(item, name, depth + 1, free_keys=free_keys) for item in value[:MOST_ITEMS]]
    return items + ([f"{MASK} {more} more"] if more > 0 else [])


def veiled_text(text: str) -> str:
    """The beginning of a text that is no JSON: letters as x, digits as 0, so that its form can be told and no word."""
    excerpt = re.sub(r"\d", "0", re.sub(r"[^\W\d_]", "x", text[:EXCERPT]))
    return f"{excerpt}{MASK}" if len(text) > EXCERPT else excerpt


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
