"""The history charts of the dashboard, from samples."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from monitoring.metrics import MESSAGES, SEND_LATENCY, Snapshot, gauges, increase, quantile, rate, samples
from waproject.metrics.counters import WEBHOOKS
from waproject.queues import LANES

# The value of one point, from two adjacent snapshots; None if it is unknown.
Reading = Callable[[Sequence[Snapshot]], float | None]


@dataclass(frozen=True, slots=True)
class Range:
    """A time span that ends now, and its number of points."""

    name: str
    title: str
    span: timedelta
    points: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over time; `unit`: per_second, seconds or count."""

    name: str
    title: str
    unit: str
    lines: tuple[tuple[str, Reading], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line's values, with the numbers of its table: the latest, the least and the greatest."""

    label: str
    values: list[float | None]
    now: float | None
    least: float | None
    most: float | None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart with its values."""

    name: str
    title: str
    unit: str
    lines: list[Line]


RANGES = {
    each.name: each
    for each in (
        Range("1h", "1 hour", timedelta(hours=1), 120),
        Range("24h", "24 hours", timedelta(hours=24), 288),
        Range("7d", "7 days", timedelta(days=7), 336),
    )
}


def _rate(*series: str) -> Reading:
    return lambda pair: rate(pair, *series)


def _level(*series: str) -> Reading:
    return lambda pair: pair[-1].get(*series)


def _latency(share: float) -> Reading:
    def read(pair: Sequence[Snapshot]) -> float | None:
        counts: dict[str, float] = {}
        for series in pair[-1].values:
            if series[0] == SEND_LATENCY.name:
                counts[series[-1]] = counts.get(series[-1], 0.0) + (increase(pair, *series) or 0.0)
        return quantile(share, SEND_LATENCY.bounds, counts)

    return read


CHARTS: tuple[Chart, ...] = (
    Chart(
        "sends",
        "Sends",
        "per_second",
        tuple((state, _rate(MESSAGES.name, state)) for state in ("accepted", "failed", "unknown")),
    ),
    Chart(
        "latency",
        "Send latency",
        "seconds",
        (("median", _latency(0.5)), ("95th percentile", _latency(0.95))),
    ),
    Chart(
        "waiting",
        "Waiting on the queues",
        "count",
        tuple((lane, _level(gauges.QUEUE.name, lane, "waiting")) for lane in LANES),
    ),
    Chart(
        "webhooks",
        "Webhooks",
        "per_second",
        (("accepted", _rate(WEBHOOKS.name, "taken")), ("unsigned", _rate(WEBHOOKS.name, "unsigned"))),
    ),
)


def draw(chosen: Range) -> tuple[list[int], list[Drawn]]:
    """The times of the points, as Unix timestamps, and each chart's values at them."""
    snapshots = samples.history(chosen.span, chosen.points)
    pairs = list(pairwise(snapshots))
    return [int(after.at.timestamp()) for _, after in pairs], [
        Drawn(chart.name, chart.title, chart.unit, [_line(label, read, pairs) for label, read in chart.lines])
        for chart in CHARTS
    ]


def as_json(times: list[int], charts: list[Drawn]) -> dict[str, Any]:
    """As JSON, for the page's script."""
    return {"at": times, "charts": [asdict(chart) for chart in charts]}


def _line(label: str, read: Reading, pairs: Sequence[Sequence[Snapshot]]) -> Line:
    values = [None if (value := read(pair)) is None else round(value, 3) for pair in pairs]
    known = [value for value in values if value is not None]
    return Line(label, values, known[-1] if known else None, min(known, default=None), max(known, default=None))
