"""A JSON parser that refuses, with a 400, what PostgreSQL cannot store."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser, get_encoding  # type: ignore[attr-defined] # the stubs lack it

from waproject.sqs.json_limits import INCOMING, excess

_SHOWN = 64


class StorableJSONParser(JSONParser):
    """Strict JSON within `INCOMING`, without NUL, lone surrogates and infinite numbers, on which storing fails."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Raise ParseError (400) for JSON that is malformed, over a limit, or not storable."""
        encoding, raw = get_encoding(parser_context or {}), stream.read()
        try:
            text = raw.decode(encoding)
            if problem := excess(raw if encoding.lower() == "utf-8" else text.encode(), INCOMING):
                raise ParseError(f"JSON parse error - {problem}")
            data = json.loads(text, parse_constant=_refuse_constant)
        except ValueError as error:
            raise ParseError(f"JSON parse error - {error}") from None
        if problem := unstorable(data):
            raise ParseError(f"JSON parse error - {problem}")
        return data


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def unstorable(value: object, path: str = "", depth: int = INCOMING.depth) -> str | None:
    """Why a PostgreSQL text or jsonb column cannot store a JSON value, with the path to the fault; None if it can."""
    if depth < 0:
        return f"it is nested deeper than {INCOMING.depth} levels"
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
