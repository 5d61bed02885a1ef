"""The catalogue of all metrics by name."""

from monitoring.metrics.gauges import GAUGES, Gauge
from monitoring.metrics.message_counts import FROM_EVENTS
from waproject.metrics.counters import HOT, Counter, Histogram

Metric = Counter | Histogram | Gauge

METRICS: dict[str, Metric] = {metric.name: metric for metric in (*HOT, *FROM_EVENTS, *GAUGES)}


def exposed_names() -> set[str]:
    """The metric names in the Prometheus text; a histogram has three."""
    names: set[str] = set()
    for metric in METRICS.values():
        endings = ("_bucket", "_sum", "_count") if isinstance(metric, Histogram) else ("",)
        names.update(metric.name + ending for ending in endings)
    return names
