"""Structure-aware mutations of JSON: bodies that are nearly right, each odd in one to three places."""

import json
from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

Place = tuple[Any, Any]

DEEP = "\x01deep:"
ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**31, 2**63, 10**40, 1.5, 1e308, -0.0, float("inf"), float("nan")),
    *("", " ", "x" * 300, "x" * 70_000, "\x00", "\ud83d", "\u202e", "1" * 400, "2030-01-01", "wamid.", "'; --", "{}"),
    *([], {}, [[]], [None], {"": ""}, {"\x00": 1}, {"\ud800": {"\udfff": 2}}, {"__type__": "datetime", "__value__": 1}),
    *([0] * 3000, {str(n): n for n in range(3000)}, list("abc")),
)
# Nested lists and numbers that Python cannot build are put into the text.
DEPTHS = (60, 99, 101, 127, 480, 990, 5000)
DIGITS = (90, 101, 5000)


def odd_texts(random: Random, body: Any) -> Iterator[str]:
    """Without an end: JSON texts of `body`, changed in one to three places of its `value`s."""
    text = json.dumps(body)
    while True:
        changed = json.loads(text)
        for _ in range(random.randint(1, 3)):
            places = list(_places(changed))
            if places:
                _change(random, *random.choice(places))
        yield _filled(random, json.dumps(changed))


def _places(value: Any) -> Iterator[Place]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from _places(inner)


def _change(random: Random, holder: Any, key: Any) -> None:
    match random.randrange(6):
        case 0:
            del holder[key]
        case 1:
            holder[key] = [holder[key]]
        case 2:
            holder[key] = {"new": holder[key], "other": deepcopy(random.choice(ODD))}
        case 3:
            holder[key] = f"{DEEP}{random.choice(DEPTHS)}"
        case 4 if isinstance(holder, list):
            holder.extend(deepcopy(holder[key]) for _ in range(random.choice((1, 40))))
        case _:
            holder[key] = deepcopy(random.choice(ODD))


def _filled(random: Random, text: str) -> str:
    for depth in DEPTHS:
        marker = json.dumps(f"{DEEP}{depth}")
        if marker in text:
            opening, closing = random.choice((("[", "]"), ('{"a":', "}")))
            inner = random.choice(("1", "9" * random.choice(DIGITS)))
            text = text.replace(marker, opening * depth + inner + closing * depth)
    return text
