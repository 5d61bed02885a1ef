"""Bounds on a JSON text, checked before any object is built from it.

Parsers, picklers and serializers recurse, so a text of a few hundred nested brackets can end the process that handles
it; a text of 8 MB that holds nothing but empty lists becomes 200 MB of objects. Pure: no I/O.
"""

import json
import os
import threading
from dataclasses import dataclass
from typing import Any

_BRACKETS_TO_SQUARE = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_DIGITS_TO_0 = bytes.maketrans(b"123456789", b"000000000")
_NUMBERS_TO_0 = bytes.maketrans(b"123456789.eE+-", b"00000000000000")
# The parts of a number in which digits follow each other: before the point, behind it, and the exponent.
_PARTS = 3
# The exact count copies the text: one thread at a time, so that parallel requests cannot multiply that.
_one_copy = threading.Lock()


def _unlock_in_child() -> None:
    """A thread of a worker may check a message while the worker forks a process for its pool."""
    global _one_copy  # noqa: PLW0603 - one per process
    _one_copy = threading.Lock()


os.register_at_fork(after_in_child=_unlock_in_child)


@dataclass(frozen=True, slots=True)
class Limits:
    """depth: nested brackets. elements: commas, colons and opening brackets. digits: characters of one number."""

    depth: int
    elements: int
    digits: int


# What enters from outside. Meta's deepest webhooks have a dozen levels; a bulk of 1,000 template messages has 60,000
# elements; 100,000 empty objects take 20 MB. No number of Meta's or of JavaScript's has more than 25 characters.
INCOMING = Limits(depth=100, elements=150_000, digits=100)
# What a worker takes from its queue: the above inside a task message. Pickling for a pool process fails at 480 levels.
QUEUED = Limits(depth=128, elements=200_000, digits=100)


def excess(text: bytes, limits: Limits) -> str | None:
    """The bound that a JSON text in UTF-8 exceeds, in words without its content; None where it exceeds none.

    A text that is not JSON may pass: its parser refuses it.
    """
    if not _may_exceed(text, limits):
        return None
    with _one_copy:
        return _exact_excess(text, limits)


def loads(text: bytes) -> Any:
    """The value of a JSON text in UTF-8. Raises ValueError for any other encoding.

    Of bytes, `json.loads` also takes UTF-16 and UTF-32, in which `excess` mistakes characters for quotes and brackets.
    """
    return json.loads(text.decode("utf-8-sig", "surrogatepass"))


def _may_exceed(text: bytes, limits: Limits) -> bool:
    """Whether a count that includes strings leaves it possible; most texts end here, at 3 µs a kilobyte."""
    brackets = text.count(b"[") + text.count(b"{")
    return (
        brackets > limits.depth
        or brackets + text.count(b",") + text.count(b":") > limits.elements
        or b"0" * (limits.digits // _PARTS - 1) in text.translate(_DIGITS_TO_0)
    )


def _exact_excess(text: bytes, limits: Limits) -> str | None:
    too_many = f"it has more than {limits.elements:,} values and keys"
    unescaped = text.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in text else text
    if unescaped.count(b'"') > 2 * limits.elements:  # each string is a value or a key
        return too_many
    bare = b"".join(unescaped.split(b'"')[::2])
    if sum(map(bare.count, (b",", b":", b"[", b"{"))) > limits.elements:
        return too_many
    if b"0" * (limits.digits + 1) in bare.translate(_NUMBERS_TO_0):
        return f"it has a number of more than {limits.digits} characters"
    return f"it is nested deeper than {limits.depth} levels" if _is_deeper(bare, limits.depth) else None


def _is_deeper(bare: bytes, depth: int) -> bool:
    """Remove the innermost pairs of brackets, `depth` times: what is left was around them, or has no partner."""
    brackets = bare.translate(_BRACKETS_TO_SQUARE, _NOT_BRACKETS)
    for _ in range(depth):
        before, brackets = len(brackets), brackets.replace(b"[]", b"")
        if len(brackets) == before:
            return brackets.count(b"[") > depth
    return bool(brackets)
