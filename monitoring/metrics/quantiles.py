"""Quantiles of a histogram, from its buckets."""

from collections.abc import Mapping, Sequence

from waproject.metrics.counters import INFINITY


def quantile(share: float, bounds: Sequence[float], counts: Mapping[str, float]) -> float | None:
    """The value below which `share` of the observations lie, interpolated in its bucket; None without observations.

    counts: the observations of each bucket, by the text of its upper bound. The result is at most the last bound.
    """
    texts = [*map(repr, bounds), INFINITY]
    total = sum(counts.get(text, 0.0) for text in texts)
    if total <= 0:
        return None
    rank, so_far, lower = share * total, 0.0, 0.0
    for text, upper in zip(texts, [*bounds, bounds[-1]], strict=True):
        here = counts.get(text, 0.0)
        if here and so_far + here >= rank:
            return lower + (upper - lower) * (rank - so_far) / here
        so_far, lower = so_far + here, upper
    return bounds[-1]
