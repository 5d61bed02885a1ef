"""The catalogue of all metrics by name."""

from monitoring.metrics.gauges import GAUGES, Gauge
from monitoring.metrics.message_counts import FROM_EVENTS
from waproject.metrics.counters import HOT, Counter, Histogram

Metric = Counter | Histogram | Gauge

METRICS: dict[str, Metric] = {metric.name: metric for metric in (*HOT, *FROM_EVENTS, *GAUGES)}
