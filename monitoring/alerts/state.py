"""State of alerts: when one fires and when it ends, a pure function of readings and time.

    inactive ──value ≥ fires_at──▶ pending ──for `for_s`──▶ firing ──value < clears_at for `clears_after_s`──▶ inactive
             ◀──value < fires_at──                       (between the two thresholds nothing changes)

Two thresholds and two durations keep a reading that swings around one threshold from firing again and again.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote

from monitoring.metrics import Window
from monitoring.models.alerts import KEY_LENGTH

Values = Mapping[str, float]
DIGEST_LENGTH = 8


class Severity(StrEnum):
    """How urgent an alert is."""

    # Messages are lost or do not move: act now, also at night.
    CRITICAL = "critical"
    # It gets worse, or an operator has to decide: act today.
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule watches. `read`: the current value of each key; None if it is unknown now.

    `promql` is an expression with the same value, and `label` its label that holds the key ("" for a single value).
    """

    read: Callable[[Window], Values | None]
    promql: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert rule. `summary` and `action` are for the operator; {key} and {value} are filled in."""

    name: str
    severity: Severity
    reading: Reading
    fires_at: float
    summary: str
    action: str
    # How long the value stays at or above `fires_at` before the alert fires.
    for_s: float = 0.0
    # The alert ends below this; None is `fires_at`, for readings that count things one by one.
    clears_at: float | None = None
    # How long the value stays below `clears_at` before the alert ends.
    clears_after_s: float = 60.0
    # The page on which to act, below BASE_URL; {key} is filled in.
    page: str = "/monitoring/dashboard"
    # Open alerts and silences under this name are taken over.
    former_name: str = ""

    @property
    def clear_threshold(self) -> float:
        """The value below which the alert ends."""
        return self.fires_at if self.clears_at is None else self.clears_at

    def describe(self, key: str, value: float, reason: str = "") -> str:
        """The summary, filled in, and the recorded reason."""
        summary = self.summary.format(key=key, value=value)
        return f"{summary} Reason: {reason.rstrip('.')}." if reason else summary

    def link(self, key: str, base_url: str = "") -> str:
        """The URL of the page on which to act; without a `base_url` its path."""
        return base_url + self.page.format(key=quote(key))


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """One rule's alert on one key, pending or firing. An inactive one has no object."""

    value: float
    # When the value reached `fires_at`, without a dip while pending.
    since: datetime
    firing: bool = False
    # While firing: since when the value is below `clears_at`.
    below_since: datetime | None = None


def advance(rule: Rule, current: ActiveAlert | None, value: float, now: datetime) -> ActiveAlert | None:
    """The next state; None is inactive. The alert fired or ended where `firing` changed."""
    if current is None or not current.firing:
        if value < rule.fires_at:
            return None
        since = current.since if current else now
        return ActiveAlert(value, since, firing=(now - since).total_seconds() >= rule.for_s)
    if value >= rule.clear_threshold:
        return replace(current, value=value, below_since=None)
    below_since = current.below_since or now
    if (now - below_since).total_seconds() >= rule.clears_after_s:
        return None
    return replace(current, value=value, below_since=below_since)


def stored_key(key: str) -> str:
    """A key as alerts store it: a long one, such as the name of a budget, keeps its beginning and gets its digest."""
    if len(key) <= KEY_LENGTH:
        return key
    return f"{key[: KEY_LENGTH - DIGEST_LENGTH]}{hashlib.sha256(key.encode()).hexdigest()[:DIGEST_LENGTH]}"


def advance_all(rule: Rule, active: Mapping[str, ActiveAlert], window: Window) -> dict[str, ActiveAlert]:
    """The next states of one rule, by key. An unknown reading changes none; a key without a value counts as zero."""
    found = rule.reading.read(window)
    if found is None:
        return dict(active)
    values = {stored_key(key): value for key, value in found.items()}
    keys = {*values, *active}
    advanced = {key: advance(rule, active.get(key), values.get(key, 0.0), window.now) for key in keys}
    return {key: alert for key, alert in advanced.items() if alert is not None}
