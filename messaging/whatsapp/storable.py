"""JSON values in a form that PostgreSQL can store, as text and as jsonb.

Four things that JSON allows and the database refuses: NUL and lone surrogates in strings (both become U+FFFD),
NaN and infinities (become their names), and nesting deep enough to exhaust a stack (becomes its JSON text).
"""

import json
import math
import re

REPLACEMENT = "\ufffd"
# Meta's deepest bodies have about a dozen levels. 64 stays far below every recursion limit on the way to a column.
MAX_DEPTH = 64
_BAD = re.compile("[\x00\ud800-\udfff]")


def storable_text(text: str) -> str:
    """The text with each NUL and each lone surrogate replaced by U+FFFD."""
    return _BAD.sub(REPLACEMENT, text)


def storable(value: object) -> object:
    """A storable copy of a JSON value; idempotent."""
    return _storable(value, MAX_DEPTH)


def _storable(value: object, depth: int) -> object:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict | list):
        return _storable_container(value, depth - 1) if depth else _flattened(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _storable_container(value: dict[object, object] | list[object], depth: int) -> object:
    if isinstance(value, list):
        return [_storable(element, depth) for element in value]
    return _storable_object(value, depth)


def _storable_object(value: dict[object, object], depth: int) -> dict[str, object]:
    result: dict[str, object] = {}
    for name, element in value.items():
        key = storable_text(str(name))
        while key in result:  # two keys that differ in a replaced character only: both stay
            key += REPLACEMENT
        result[key] = _storable(element, depth)
    return result


def _flattened(value: object) -> str:
    try:
        return storable_text(json.dumps(value, default=str))
    except RecursionError:
        return "(nested too deeply)"
