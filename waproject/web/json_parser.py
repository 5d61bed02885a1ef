"""JSON that PostgreSQL can store, or a 400 that names the problem."""

import math
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

# No send and no event needs more; at a few hundred levels serializers, Celery and the worker begin to fail.
MAX_DEPTH = 100
_SHOWN = 64


class StorableJSONParser(JSONParser):
    """DRF's parser, and a 400 for what would fail only later: NUL, lone surrogates, infinite numbers, deep nesting."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Raise ParseError (400) for JSON that is malformed, too deep, or not storable."""
        try:
            data = super().parse(stream, media_type, parser_context)
            problem = unstorable(data)
        except RecursionError:
            raise ParseError("JSON parse error - nested too deeply") from None
        if problem:
            raise ParseError(f"JSON parse error - {problem}")
        return data


def unstorable(value: object, path: str = "", depth: int = MAX_DEPTH) -> str | None:
    """What keeps a JSON value out of a PostgreSQL text or jsonb column, naming the place; None where nothing does."""
    if depth == 0:
        return "nested too deeply"
    if isinstance(value, str):
        return _unstorable_text(value, path)
    if isinstance(value, float) and not math.isfinite(value):
        return f"{path or 'a number'} is out of range"
    if isinstance(value, dict):
        for key, item in value.items():
            place = f"{path}.{key[:_SHOWN]}" if path else key[:_SHOWN]
            if problem := _unstorable_text(key, "a key") or unstorable(item, place, depth - 1):
                return problem
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if problem := unstorable(item, f"{path}[{index}]", depth - 1):
                return problem
    return None


def _unstorable_text(text: str, path: str) -> str | None:
    if "\x00" in text:
        return f"{path or 'a string'} contains a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return f"{path or 'a string'} contains half of a surrogate pair"
    return None
