"""Building blocks for checks of `message_data`.

A check takes a value and its path (``message_data.action.buttons[0]``), and gives the value as it is kept or raises
InvalidContent. Applied to what it gave, it gives the same again.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from messaging.whatsapp.storable import MAX_DEPTH, storable_text

Data = dict[str, object]
Check = Callable[[object, str], object]

# For texts without a limit in Meta's pages: longer than any sensible value.
UNDOCUMENTED_MAX = 4096
_SHOWN = 64
_LINE_BREAK = re.compile("[\n\r\v\f\x85\u2028\u2029]")
# Controls, and formats such as a zero-width space.
_INVISIBLE = frozenset({"Cc", "Cf"})
_DECIMAL = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{1,20})?")
_DIGITS = re.compile(r"[0-9]{1,19}")
_LINK = re.compile(r"https?://[^\s/?#]\S*", re.IGNORECASE)


class InvalidContent(Exception):
    """The message cannot be sent. `field` is a path such as ``message_data.components[0]``."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message)
        self.field = field
        self.message = message

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class MissingContent(InvalidContent):
    """A required field is missing."""

    def __init__(self, field: str) -> None:
        super().__init__(field, "is required")


def text(longest: int, shortest: int = 1) -> Check:
    """A string of `shortest` to `longest` characters."""

    def check(value: object, path: str) -> object:
        if not isinstance(value, str):
            raise InvalidContent(path, "must be a string")
        if not shortest <= len(value) <= longest:
            raise InvalidContent(path, f"must have {shortest} to {longest} characters, has {len(value)}")
        _check_characters(value, path)
        return value

    return check


def visible_text(longest: int) -> Check:
    """A text that is not blank."""
    check_text = text(longest)

    def check(value: object, path: str) -> object:
        given = check_text(value, path)
        if isinstance(given, str) and _is_blank(given):
            raise InvalidContent(path, "is blank")
        return given

    return check


def single_line(longest: int) -> Check:
    """A text on one line that is not blank."""
    check_shown = visible_text(longest)

    def check(value: object, path: str) -> object:
        given = check_shown(value, path)
        if isinstance(given, str) and _LINE_BREAK.search(given):
            raise InvalidContent(path, "must be on one line")
        return given

    return check


def _is_blank(value: str) -> bool:
    """Whether the text shows nothing: only blanks, control characters, and marks of direction and width."""
    return all(character.isspace() or unicodedata.category(character) in _INVISIBLE for character in value)


def check_distinct(values: Sequence[tuple[str, object]], what: str) -> None:
    """Raise InvalidContent at the second of two equal values; `values` are pairs of a path and what stands there."""
    seen: set[object] = set()
    for path, value in values:
        if value in seen:
            raise InvalidContent(path, f"is the {what} of another one: each needs its own")
        seen.add(value)


def matching(pattern: str, requirement: str) -> Check:
    """A string that the pattern matches as a whole; `requirement` says what it has to be."""
    compiled = re.compile(pattern)

    def check(value: object, path: str) -> object:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise InvalidContent(path, requirement)
        return value

    return check


def link(value: object, path: str) -> object:
    """A web address."""
    text(UNDOCUMENTED_MAX)(value, path)
    if not isinstance(value, str) or not _LINK.fullmatch(value):
        raise InvalidContent(path, "must be an http:// or https:// address")
    return value


def boolean(value: object, path: str) -> object:
    """True or false."""
    if not isinstance(value, bool):
        raise InvalidContent(path, "must be true or false")
    return value


def degrees(most: int) -> Check:
    """A number from -most to most; Meta takes it as a string too."""

    def check(value: object, path: str) -> object:
        given = float(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else value
        is_number = isinstance(given, int | float) and not isinstance(given, bool)
        if not is_number or not -most <= cast(float, given) <= most:  # NaN is in no range
            raise InvalidContent(path, f"must be a number of degrees from -{most} to {most}")
        return value

    return check


def one_of(*known: str) -> Check:
    """One of these strings."""

    def check(value: object, path: str) -> object:
        if not isinstance(value, str) or value not in known:
            raise InvalidContent(path, f"must be {'one of: ' if len(known) > 1 else ''}{', '.join(known)}")
        return value

    return check


def any_case(known: str) -> Check:
    """This string, in capitals or not, as it was given."""

    def check(value: object, path: str) -> object:
        if not isinstance(value, str) or value.lower() != known:
            raise InvalidContent(path, f"must be {known}")
        return value

    return check


def whole_number(least: int, most: int) -> Check:
    """A whole number in this range; Meta takes its digits as a string too."""

    def check(value: object, path: str) -> object:
        given = int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value
        if not isinstance(given, int) or isinstance(given, bool) or not least <= given <= most:
            raise InvalidContent(path, f"must be a whole number from {least} to {most}")
        return value

    return check


def list_of(element: Check, most: int, least: int = 1) -> Check:
    """A list of this many of these."""

    def check(value: object, path: str) -> object:
        if not isinstance(value, list):
            raise InvalidContent(path, "must be a list")
        if not least <= len(value) <= most:
            raise InvalidContent(path, f"must have {least} to {most} elements, has {len(value)}")
        return [element(inner, f"{path}[{index}]") for index, inner in enumerate(value)]

    return check


def object_of(
    required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *, open_ended: bool = False
) -> Check:
    """An object with these keys; with others too, unless they cannot be stored, where it is `open_ended`."""
    known = {**required, **(optional or {})}

    def check(value: object, path: str) -> object:
        if not isinstance(value, Mapping):
            raise InvalidContent(path, "must be an object")
        result: Data = {}
        for key, inner in value.items():
            inner_path = path_of(path, key)
            if key not in known and not open_ended:
                raise InvalidContent(inner_path, f"is not known; known are: {', '.join(sorted(known))}")
            if key not in required or inner is not None:
                result[key] = known.get(key, json_value)(inner, inner_path)
        for key in required:
            if value.get(key) is None:
                raise MissingContent(f"{path}.{key}")
        return result

    return check


def with_rule(check: Check, rule: Callable[[Data, str], None]) -> Check:
    """A check of an object, and then a rule over more than one of its keys."""

    def both(value: object, path: str) -> object:
        result = check(value, path)
        if isinstance(result, dict):
            rule(result, path)
        return result

    return both


def exactly_one(*names: str) -> Callable[[Data, str], None]:
    """The rule that one of these keys is there, and only one."""

    def rule(data: Data, path: str) -> None:
        given = [name for name in names if name in data]
        if not given:
            raise InvalidContent(path, f"needs {' or '.join(names)}")
        if len(given) > 1:
            raise InvalidContent(f"{path}.{given[1]}", f"cannot be beside {given[0]}: give one of them")

    return rule


def by_kind(kinds: Mapping[str, Check], *, key: str = "type", any_case: bool = False) -> Check:
    """An object whose `type` (or other `key`) says which of these checks is its own; in lower case, or `any_case`."""

    def check(value: object, path: str) -> object:
        if not isinstance(value, Mapping):
            raise InvalidContent(path, "must be an object")
        kind = value.get(key)
        if kind is None:
            raise MissingContent(f"{path}.{key}")
        name = kind.lower() if any_case and isinstance(kind, str) else kind
        if not isinstance(name, str) or name not in kinds:
            raise InvalidContent(f"{path}.{key}", f"must be one of: {', '.join(kinds)}")
        return kinds[name](value, path)

    return check


def json_value(value: object, path: str) -> object:
    """Any JSON that can be stored and sent."""
    _check_json(value, path, MAX_DEPTH)
    return value


def json_object(value: object, path: str) -> object:
    """Any JSON object that can be stored and sent."""
    if not isinstance(value, dict):
        raise InvalidContent(path, "must be an object")
    return json_value(value, path)


def _check_json(value: object, path: str, depth: int) -> None:
    """Refuses what could not be stored or sent as JSON, at the path where it stands."""
    if depth == 0:
        raise InvalidContent(path, "is nested too deeply")
    if isinstance(value, str):
        _check_characters(value, path)
    elif isinstance(value, dict):
        for key, element in value.items():
            _check_json(element, path_of(path, key), depth - 1)
    elif isinstance(value, list):
        for index, element in enumerate(value):
            _check_json(element, f"{path}[{index}]", depth - 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise InvalidContent(path, "must be a finite number")
    elif value is not None and not isinstance(value, int | float):
        raise InvalidContent(path, "must be a JSON value")


def _check_characters(value: str, path: str) -> None:
    if storable_text(value) != value:
        raise InvalidContent(path, "holds a NUL or half of a surrogate pair")


def path_of(parent: str, key: object) -> str:
    """The path of a key; it must be text that can be stored, since it ends up in answers and logs."""
    if not isinstance(key, str) or storable_text(key) != key:
        raise InvalidContent(parent, "has a key that is not proper text")
    return f"{parent}.{key[:_SHOWN]}"
