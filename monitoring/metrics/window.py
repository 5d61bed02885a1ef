"""A window of recent samples, and the increase and rate of counters over it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.metrics.samples import Snapshot, increase, rate
from waproject.metrics.counters import Series

# Samples are 30 s apart, those of pages up to a minute; a longer distance is a gap.
GAP_S = 90.0


@dataclass(frozen=True, slots=True)
class Window:
    """Snapshots, the oldest first; the last one is now. Never empty."""

    snapshots: Sequence[Snapshot]

    @property
    def now(self) -> datetime:
        """The time of the last snapshot."""
        return self.snapshots[-1].at

    def by_label(self, metric: str, **wanted: str) -> dict[str, float]:
        """The current values of a metric by its first label; `second` selects a value of its second label."""
        second = wanted.get("second")
        return {
            series[1]: value
            for series, value in self.snapshots[-1].values.items()
            if series[0] == metric and (second is None or series[2] == second)
        }

    def value(self, *series: str) -> float | None:
        """One current value."""
        return self.snapshots[-1].get(*series)

    def last(self, seconds: float) -> list[Snapshot]:
        """The snapshots of the last `seconds`, and the one before them.

        After a gap in the samples, such as an outage of the monitor, the first one may be much older.
        """
        start = self.now - timedelta(seconds=seconds)
        first = max((n for n, snapshot in enumerate(self.snapshots) if snapshot.at <= start), default=0)
        return list(self.snapshots[first:])

    def within(self, seconds: float) -> list[Snapshot]:
        """The same, without a first snapshot from before a gap: these span `seconds`, give or take GAP_S, or less."""
        snapshots = self.last(seconds)
        is_old = (self.now - snapshots[0].at).total_seconds() > seconds + GAP_S
        return snapshots[1:] if is_old else snapshots

    def covers(self, seconds: float) -> bool:
        """Whether the samples reach back `seconds`."""
        return self.snapshots[0].at <= self.now - timedelta(seconds=seconds)

    def covered_s(self, seconds: float) -> float:
        """How many of the last `seconds` the increases below cover: less than `seconds` after a gap."""
        return (self.now - self.within(seconds)[0].at).total_seconds()

    def increase(self, seconds: float, *series: str) -> float:
        """The increase of a counter within the last `seconds`."""
        return increase(self.within(seconds), *series) or 0.0

    def rate(self, seconds: float, *series: str) -> float:
        """The increase a second of a counter within the last `seconds`."""
        return rate(self.within(seconds), *series) or 0.0

    def increases(self, seconds: float, metric: str) -> dict[Series, float]:
        """The increase of each series of a metric within the last `seconds`."""
        within = self.within(seconds)
        return {series: increase(within, *series) or 0.0 for series in self.snapshots[-1].values if series[0] == metric}

    def increases_by_label(self, seconds: float, metric: str) -> dict[str, int]:
        """The same in whole numbers, by the first label."""
        return {series[1]: round(by) for series, by in sorted(self.increases(seconds, metric).items())}
