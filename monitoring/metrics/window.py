"""A window of recent samples, and the increase and rate of counters over it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.metrics.samples import Snapshot, increase, rate
from waproject.metrics.counters import Series


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
        """The snapshots of the last `seconds`, and the one before them."""
        start = self.now - timedelta(seconds=seconds)
        first = max((n for n, snapshot in enumerate(self.snapshots) if snapshot.at <= start), default=0)
        return list(self.snapshots[first:])

    def covers(self, seconds: float) -> bool:
        """Whether the samples reach back `seconds`."""
        return self.snapshots[0].at <= self.now - timedelta(seconds=seconds)

    def increase(self, seconds: float, *series: str) -> float:
        """The increase of a counter in the last `seconds`."""
        return increase(self.last(seconds), *series) or 0.0

    def rate(self, seconds: float, *series: str) -> float:
        """The increase a second of a counter in the last `seconds`."""
        return rate(self.last(seconds), *series) or 0.0

    def increases(self, seconds: float, metric: str) -> dict[Series, float]:
        """The increase of each series of a metric in the last `seconds`."""
        snapshots = self.last(seconds)
        return {
            series: increase(snapshots, *series) or 0.0 for series in self.snapshots[-1].values if series[0] == metric
        }

    def increases_by_label(self, seconds: float, metric: str) -> dict[str, int]:
        """The same in whole numbers, by the first label."""
        return {series[1]: round(by) for series, by in sorted(self.increases(seconds, metric).items())}
