"""Latencies as histograms: percentiles do not add up over time, counts do. Pure."""

from collections.abc import Mapping, Sequence
from enum import IntEnum

# Seconds. Between two bounds a value is known no closer; the steps are a third to a half of the value.
BOUNDS: tuple[float, ...] = (
    0.25, 0.5, 1, 2, 3, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 450, 600, 900, 1800, 2700, 3600,
    2 * 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600, 2 * 86400, 4 * 86400, 7 * 86400,
)  # fmt: skip
# Before the first bound, between two, and beyond the last.
PLACES = len(BOUNDS) + 1


class Kind(IntEnum):
    """The duration that a histogram counts."""

    # Outbound: from when it was due until Meta accepted it; from then until the phone had it; until it was read.
    ACCEPT = 1
    DELIVERY = 2
    READ = 3
    # Inbound: until we wrote back.
    RESPONSE = 4


def percentile(share: float, counts: Mapping[int, int]) -> float | None:
    """The seconds that `share` (0 to 1) of the durations stay below, straight between two bounds.

    `counts` is how many lie at each place. None where there are none; beyond the last bound it is the last bound.
    """
    return percentiles([share], counts)[0]


def percentiles(shares: Sequence[float], counts: Mapping[int, int]) -> list[float | None]:
    """The percentiles of several shares, in rising order."""
    total = sum(counts.values())
    if total <= 0:
        return [None] * len(shares)
    found: list[float | None] = []
    so_far = 0
    for place in sorted(counts):
        here = counts[place]
        while here and len(found) < len(shares) and so_far + here >= shares[len(found)] * total:
            lower = BOUNDS[place - 1] if place else 0.0
            upper = BOUNDS[min(place, len(BOUNDS) - 1)]
            found.append(lower + (upper - lower) * max(0.0, shares[len(found)] * total - so_far) / here)
        so_far += here
    return found + [float(BOUNDS[-1])] * (len(shares) - len(found))
