"""The names of all metrics in the Prometheus text."""

from monitoring.metrics.catalogue import METRICS
from waproject.metrics.counters import Histogram


def exposed_names() -> set[str]:
    """The name of each metric; a histogram has three."""
    names: set[str] = set()
    for metric in METRICS.values():
        endings = ("_bucket", "_sum", "_count") if isinstance(metric, Histogram) else ("",)
        names.update(metric.name + ending for ending in endings)
    return names
