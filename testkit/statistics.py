"""Percentiles, named as such only with enough samples."""

from collections.abc import Iterable, Sequence

# A percentile needs ten samples beyond it: 1,000 for a p99, 200 for a p95.
BEYOND = 10


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of ascending values."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def summary(values: Iterable[float], percent: int = 99) -> dict[str, float]:
    """{p50_ms, p<percent>_ms} of milliseconds; with too few samples for that, {p50_ms, slowest_ms}."""
    ordered = sorted(values)
    if len(ordered) * (100 - percent) >= BEYOND * 100:
        return {"p50_ms": percentile(ordered, 50), f"p{percent}_ms": percentile(ordered, percent)}
    return {"p50_ms": percentile(ordered, 50), "slowest_ms": ordered[-1]}
