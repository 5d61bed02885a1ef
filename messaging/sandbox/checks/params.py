"""A value in the body of a send, together with its place, and the checks that Meta makes of any value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..graph_errors import GraphError, bad_value, invalid_parameter, missing_parameter

# Where Meta states no limit: longer than any such value in its examples.
UNDOCUMENTED_MAX = 4096
_LINK = re.compile(r"https?://[^\s/?#]\S*", re.IGNORECASE)
_DEGREES = re.compile(r"[+-]?\d{1,3}(\.\d{1,20})?", re.ASCII)
_INVISIBLE = re.compile(r"[\s\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\u061c\u180e\ufeff]*")


@dataclass(frozen=True, slots=True)
class Param:
    """``path`` is written as Meta writes it: ``interactive['action']['buttons'][0]``."""

    value: Any
    path: str

    def check_object(self, *known: str) -> Param:
        """Refuse anything but an object whose keys are all among the known ones. A null counts as absent."""
        if not isinstance(self.value, dict):
            raise self.invalid("must be a JSON object")
        for key, inner in self.value.items():
            if key not in known and inner is not None:
                raise invalid_parameter(f'Unexpected key "{key[:64]}" on param "{self.path}".')
        return self

    def find(self, key: str) -> Param | None:
        """The value under a key of this object; None where it is absent or null."""
        if not isinstance(self.value, dict):
            raise self.invalid("must be a JSON object")
        value = self.value.get(key)
        return None if value is None else Param(value, f"{self.path}['{key}']")

    def need(self, key: str) -> Param:
        """The value under a key of this object, which has to be there."""
        found = self.find(key)
        if found is None:
            raise missing_parameter(f"Parameter {self.path}['{key}'] is mandatory")
        return found

    def text(self, most: int = UNDOCUMENTED_MAX, least: int = 1) -> str:
        """A string of this many characters, not only blanks."""
        if not isinstance(self.value, str):
            raise self.invalid("must be a string")
        if not least <= len(self.value) <= most:
            raise self.invalid(f"must have {least} to {most} characters, has {len(self.value)}")
        if least and self.is_blank():
            raise self.unusable("must not be blank")
        return self.value

    def is_blank(self) -> bool:
        """Whether a string shows nothing."""
        return _INVISIBLE.fullmatch(self.value) is not None

    def need_object(self) -> Param:
        """Refuse anything but an object, whatever it holds."""
        if not isinstance(self.value, dict):
            raise self.invalid("must be a JSON object")
        return self

    def line(self, most: int = UNDOCUMENTED_MAX) -> str:
        """A text without a line break."""
        given = self.text(most)
        if len(given.splitlines()) > 1 or given != given.rstrip("\r\n"):
            raise self.unusable("must not contain a new-line character")
        return given

    def matching(self, pattern: str, requirement: str) -> str:
        """A string that the pattern matches as a whole."""
        given = self.text()
        if not re.fullmatch(pattern, given, re.ASCII):
            raise self.invalid(requirement)
        return given

    def link(self) -> None:
        """A web address."""
        if not _LINK.fullmatch(self.text()):
            raise self.invalid("is not a valid URI")

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self.invalid("must be a boolean")
        return self.value

    def whole(self, least: int, most: int) -> int:
        """A whole number in this range; Meta also takes its digits as a string."""
        digits = isinstance(self.value, str) and self.value.isascii() and self.value.isdigit() and len(self.value) < 20  # noqa: PLR2004
        given = int(self.value) if digits else self.value
        if type(given) is not int or not least <= given <= most:
            raise self.invalid(f"must be a whole number from {least} to {most}")
        return given

    def degrees(self, most: int) -> None:
        """A number from -most to most; Meta also takes it as a string."""
        numeric = isinstance(self.value, str) and _DEGREES.fullmatch(self.value)
        given = float(self.value) if numeric else self.value
        if isinstance(given, bool) or not isinstance(given, int | float):
            raise self.invalid("must be a number of degrees")
        if not -most <= given <= most:
            raise self.unusable(f"must be between -{most} and {most}")

    def one_of(self, *known: str) -> str:
        """One of these strings."""
        if not isinstance(self.value, str) or self.value not in known:
            raise self.invalid("must be one of {" + ", ".join(known).upper() + "}")
        return self.value

    def elements(self, least: int, most: int) -> list[Param]:
        """The elements of an array that has this many."""
        if not isinstance(self.value, list):
            raise self.invalid("must be an array")
        if not least <= len(self.value) <= most:
            raise self.invalid(f"must have {least} to {most} elements, has {len(self.value)}")
        return [Param(element, f"{self.path}[{index}]") for index, element in enumerate(self.value)]

    def invalid(self, requirement: str) -> GraphError:
        """Code 100: a wrong type, length or form."""
        return invalid_parameter(f"Param {self.path} {requirement}.")

    def unusable(self, requirement: str) -> GraphError:
        """Code 131009: of the right form, but a value that Meta cannot use."""
        return bad_value(f"Param {self.path} {requirement}.")


def check_distinct(params: list[Param]) -> None:
    """Refuse the first value that an earlier one equals."""
    seen: set[str] = set()
    for param in params:
        if param.value in seen:
            raise param.unusable("must be unique, and is given twice")
        seen.add(param.value)


def found(parent: Param, *keys: str) -> Iterator[Param]:
    """The values that are there under these keys."""
    return (inner for key in keys if (inner := parent.find(key)) is not None)
