"""State of alerts: when one fires and when it is over, a pure function of readings and time.

    quiet ──value ≥ fires_at──▶ waiting ──for `for_s` on end──▶ firing ──value < clears_at for `clears_after_s`──▶ quiet
            ◀──value < fires_at──                              (between the two values nothing changes)

Two values and two times keep a reading that swings around a threshold from firing again and again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote

from monitoring.metrics import Window

# The value of each thing that a rule looks at, by the thing's key; None when nobody can tell now.
Reading = Callable[[Window], Mapping[str, float] | None]


class Severity(StrEnum):
    """How much of a hurry it is."""

    # Messages are lost or do not move: now, also at night.
    CRITICAL = "critical"
    # It gets worse, or somebody has to decide: today.
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Rule:
    """When to tell somebody, and what. `summary` and `action` are for that person; {key} and {value} are filled in."""

    name: str
    severity: Severity
    reading: Reading
    fires_at: float
    summary: str
    action: str
    for_s: float = 0.0
    # Below this it is over; the same as `fires_at` for what is counted in ones.
    clears_at: float | None = None
    clears_after_s: float = 60.0
    # The page on which to act, below BASE_URL; {key} is filled in.
    page: str = "/monitoring/dashboard"

    @property
    def over_below(self) -> float:
        """Where it is over."""
        return self.fires_at if self.clears_at is None else self.clears_at

    def describe(self, key: str, value: float, reason: str = "") -> str:
        """The summary, filled in, and the recorded reason."""
        summary = self.summary.format(key=key, value=value)
        return f"{summary} Reason: {reason}" if reason else summary

    def link(self, key: str) -> str:
        """The page on which to act."""
        return self.page.format(key=quote(key))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one rule stands with one thing; forgotten when it is quiet."""

    value: float
    # Since when the value is over the threshold, on end while waiting.
    since: datetime
    firing: bool = False
    # While firing: since when the value is below `clears_at`.
    below_since: datetime | None = None


def step(rule: Rule, standing: Standing | None, value: float, now: datetime) -> Standing | None:
    """The next standing; None is quiet. It fired, or is over, where `firing` changed."""
    if standing is None or not standing.firing:
        if value < rule.fires_at:
            return None
        since = standing.since if standing else now
        return Standing(value, since, firing=(now - since).total_seconds() >= rule.for_s)
    if value >= rule.over_below:
        return replace(standing, value=value, below_since=None)
    below_since = standing.below_since or now
    if (now - below_since).total_seconds() >= rule.clears_after_s:
        return None
    return replace(standing, value=value, below_since=below_since)


def step_all(rule: Rule, standings: Mapping[str, Standing], window: Window) -> dict[str, Standing]:
    """The next standings of one rule by key. Where nobody can tell, none changes; what is not read any more is zero."""
    values = rule.reading(window)
    if values is None:
        return dict(standings)
    keys = {*values, *standings}
    stepped = {key: step(rule, standings.get(key), values.get(key, 0.0), window.now) for key in keys}
    return {key: standing for key, standing in stepped.items() if standing is not None}
