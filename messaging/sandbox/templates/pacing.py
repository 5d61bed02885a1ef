"""Template pacing: Meta holds messages of a template until it has the first users' feedback on it.

https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-pacing
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ..settings import MAX_MS, InputError
from .store import Template

MAX_SENDS = 1_000_000
# The code of a message that is dropped: its template was paused because of its quality.
DROPPED = 132015
_KEYS = {"after", "hold_ms", "verdict"}


class Feedback(StrEnum):
    """The end of an assessment: what is held is delivered, or dropped with the template paused."""

    RELEASE = "release"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Pacing:
    """`after` this many sends Meta holds those that follow, for `hold_ms` from the first of them."""

    after: int = 0
    hold_ms: int = 5000
    verdict: Feedback = Feedback.RELEASE

    def as_json(self) -> dict[str, Any]:
        """As it was given, with all values."""
        return {"after": self.after, "hold_ms": self.hold_ms, "verdict": str(self.verdict)}


@dataclass(slots=True)
class Assessment:
    """One wait for feedback, shared by all messages that it holds."""

    pacing: Pacing
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def drops(self) -> bool:
        """Whether its messages are dropped at its end."""
        return self.pacing.verdict is Feedback.DROP


@dataclass(slots=True)
class _Paced:
    pacing: Pacing
    sends: int = 0
    assessment: Assessment | None = None


class PacedTemplates:
    """The templates under pacing, by their ids. Pacing ends with its assessment."""

    def __init__(self) -> None:
        self._paced: dict[str, _Paced] = {}

    def set(self, template: Template, pacing: Pacing | None) -> None:
        """Begin pacing, or end it; what is held already stays so until its assessment ends."""
        if pacing is None:
            self._paced.pop(template.id, None)
        else:
            self._paced[template.id] = _Paced(pacing)

    def pacing_of(self, template: Template) -> Pacing | None:
        """The pacing of a template."""
        paced = self._paced.get(template.id)
        return paced.pacing if paced else None

    def take(self, template: Template) -> tuple[Assessment | None, bool]:
        """The assessment that holds a message that is accepted now, if any, and whether it begins with this message."""
        paced = self._paced.get(template.id)
        if paced is None:
            return None, False
        paced.sends += 1
        if paced.sends <= paced.pacing.after:
            return None, False
        begins = paced.assessment is None
        if paced.assessment is None:
            paced.assessment = Assessment(paced.pacing)
        return paced.assessment, begins

    def end(self, template: Template, assessment: Assessment) -> None:
        """The feedback is there: the messages of the assessment go on, or are dropped."""
        paced = self._paced.get(template.id)
        if paced is not None and paced.assessment is assessment:
            del self._paced[template.id]
        assessment.over.set()

    def clear(self) -> None:
        """No template is under pacing."""
        self._paced.clear()


def pacing_from(given: object) -> Pacing | None:
    """``{"after"?: sends, "hold_ms"?, "verdict"?: "release" | "drop"}``, or null for none. Raises InputError."""
    if given is None:
        return None
    if not isinstance(given, dict):
        raise InputError("pacing", 'must be null or an object, such as {"hold_ms": 5000, "verdict": "drop"}')
    if unknown := given.keys() - _KEYS:
        raise InputError(f"pacing.{min(unknown)}", f"no such key; there are {', '.join(sorted(_KEYS))}")
    verdict = given.get("verdict", Feedback.RELEASE)
    if verdict not in list(Feedback):
        raise InputError("pacing.verdict", f"must be {' or '.join(Feedback)}")
    return Pacing(
        _whole(given, "after", Pacing().after, MAX_SENDS), _whole(given, "hold_ms", Pacing().hold_ms, MAX_MS),
        Feedback(verdict),
    )  # fmt: skip


def _whole(given: dict[str, Any], name: str, default: int, most: int) -> int:
    value = given.get(name, default)
    if type(value) is not int or not 0 <= value <= most:
        raise InputError(f"pacing.{name}", f"must be a whole number from 0 to {most}")
    return value
