"""Metrics: totals, gauges, samples and their exposition to Prometheus."""

from monitoring.metrics.gauges import (
    SAMPLE_AGE,
)
from monitoring.metrics.message_counts import (
    FAILURES,
    MESSAGES,
    RETRIES,
    SEND_LATENCY,
)
from monitoring.metrics.quantiles import (
    quantile,
)
from monitoring.metrics.samples import (
    Snapshot,
    increase,
    rate,
)
from monitoring.metrics.window import (
    Window,
)

__all__ = [
    "FAILURES",
    "MESSAGES",
    "RETRIES",
    "SAMPLE_AGE",
    "SEND_LATENCY",
    "Snapshot",
    "Window",
    "increase",
    "quantile",
    "rate",
]
