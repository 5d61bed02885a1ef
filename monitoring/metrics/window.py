"""A window of recent samples, and rates over it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.metrics.samples import Moment, growth, per_second
from waproject.metrics.counters import Series


@dataclass(frozen=True, slots=True)
class Window:
    """Moments, the oldest first; the last one is now. Never empty."""

    moments: Sequence[Moment]

    @property
    def now(self) -> datetime:
        """The time of the last moment."""
        return self.moments[-1].at

    def by_label(self, metric: str, **wanted: str) -> dict[str, float]:
        """The current values of a metric with one label, by that label; with `second`, those of that second label."""
        second = wanted.get("second")
        return {
            series[1]: value
            for series, value in self.moments[-1].values.items()
            if series[0] == metric and (second is None or series[2] == second)
        }

    def value(self, *series: str) -> float | None:
        """One current value."""
        return self.moments[-1].get(*series)

    def last(self, seconds: float) -> list[Moment]:
        """The moments of the last so many seconds, and the one before them."""
        start = self.now - timedelta(seconds=seconds)
        first = max((n for n, moment in enumerate(self.moments) if moment.at <= start), default=0)
        return list(self.moments[first:])

    def spans(self, seconds: float) -> bool:
        """Whether samples reach back so far."""
        return self.moments[0].at <= self.now - timedelta(seconds=seconds)

    def growth(self, seconds: float, *series: str) -> float:
        """How much a total grew in the last so many seconds."""
        return growth(self.last(seconds), *series) or 0.0

    def rate(self, seconds: float, *series: str) -> float:
        """The same, a second."""
        return per_second(self.last(seconds), *series) or 0.0

    def growths(self, seconds: float, metric: str) -> dict[Series, float]:
        """By series of a metric: how much each grew."""
        moments = self.last(seconds)
        return {series: growth(moments, *series) or 0.0 for series in self.moments[-1].values if series[0] == metric}

    def counted(self, seconds: float, metric: str) -> dict[str, int]:
        """The same in whole numbers, by the first label."""
        return {series[1]: round(grown) for series, grown in sorted(self.growths(seconds, metric).items())}
