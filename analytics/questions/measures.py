"""Measures derived from sums: rates, percentiles, funnels. Pure."""

from collections.abc import Iterable
from typing import Any

from analytics.questions.sums import NAMES, Counts, Histogram
from analytics.rollups import Kind
from analytics.rollups import percentiles as percentiles_of

# Each rate, and what it is a share of.
RATES = {
    "sent": "accepted",
    "delivered": "accepted",
    "read": "delivered",
    "answered": "accepted",
    "failed": "outbound",
    "responded": "opened",
}
STAGES = ("accepted", "sent", "delivered", "read", "answered")
SHARES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
DURATIONS = {Kind.ACCEPT: "accept", Kind.DELIVERY: "delivery", Kind.READ: "read", Kind.RESPONSE: "response"}


def share(part: int, whole: int) -> float | None:
    """A rate to four digits; None if the denominator is 0."""
    return round(part / whole, 4) if whole else None


def rates(counts: Counts) -> dict[str, dict[str, float | int | None]]:
    """Each rate with its numerator and its denominator."""
    return {
        name: {
            "share": share(getattr(counts, name), getattr(counts, of)),
            "count": getattr(counts, name),
            "of": getattr(counts, of),
        }
        for name, of in RATES.items()
    }


def figures(counts: Counts) -> dict[str, Any]:
    """Counts and rates in the form of an answer."""
    # `asdict` would copy each value, at five times the cost.
    return {**{name: getattr(counts, name) for name in NAMES}, "rates": rates(counts)}


def percentiles(histogram: Histogram | None) -> dict[str, float | int | None]:
    """Seconds below which a share of the durations lies, and how many durations there are."""
    counts = histogram or {}
    found = zip(SHARES, percentiles_of(list(SHARES.values()), counts), strict=True)
    return {
        **{name: None if value is None else round(value, 2) for name, value in found},
        "count": sum(counts.values()),
    }


def funnel(counts: Counts) -> list[dict[str, Any]]:
    """How many came at least to each stage; `answered` counts from `accepted`, since many answer unread."""
    first = counts.accepted
    rows, before = [], first
    for stage in STAGES:
        here = getattr(counts, stage)
        rows.append(
            {
                "stage": stage,
                "messages": here,
                "of_accepted": share(here, first),
                "of_previous": share(here, first if stage == "answered" else before),
            }
        )
        before = here
    return rows


def add(parts: Iterable[Counts]) -> Counts:
    """Their sum."""
    listed = list(parts)
    return Counts(**{name: sum(getattr(part, name) for part in listed) for name in NAMES})


def merge(histograms: Iterable[Histogram]) -> Histogram:
    """Their sum."""
    total: Histogram = {}
    for histogram in histograms:
        for place, number in histogram.items():
            total[place] = total.get(place, 0) + number
    return total
