"""`/monitoring/metrics` in Prometheus' text format, read from the database.

Counters are totals of all processes on all hosts. Gauges are the monitor's latest readings; while no monitor runs they
are left out, so that a graph shows a gap and no old values.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from monitoring.metrics import samples
from monitoring.metrics import totals as counts
from monitoring.metrics.catalogue import METRICS
from monitoring.metrics.gauges import SAMPLE_AGE, Gauge
from waproject.metrics.counters import INFINITY, SUM, Counter, Histogram, Series

# Three missed ticks make a gauge stale.
GAUGES_VALID_FOR = timedelta(seconds=100)

Values = Mapping[Series, float]


def render() -> bytes:
    """The text. Raises django.db errors."""
    registry = CollectorRegistry()
    registry.register(_Collector(counts.totals(), _gauges()))
    return generate_latest(registry)


def _gauges() -> dict[Series, float]:
    latest = samples.latest()
    if latest is None:
        return {}
    age = timezone.now() - latest.at
    current = latest.values if age < GAUGES_VALID_FOR else {}
    return {**current, (SAMPLE_AGE.name,): age.total_seconds()}


class _Collector(Collector):
    """Metric families of one response."""

    def __init__(self, totals: Values, gauges: Values) -> None:
        self._totals, self._gauges = _by_metric(totals), _by_metric(gauges)

    def collect(self) -> Iterable[Family]:
        for metric in METRICS.values():
            match metric:
                case Gauge():
                    yield self._gauge(metric, metric.name, metric.meaning)
                    if metric.former_name:
                        yield self._gauge(metric, metric.former_name, f"Former name of {metric.name}")
                case Counter():
                    counter = CounterMetricFamily(metric.name, metric.meaning, labels=metric.labels)
                    for series, value in self._of(metric, self._totals):
                        counter.add_metric(series[1:], value)
                    yield counter
                case Histogram():
                    yield self._histogram(metric)

    def _of(self, metric: Gauge | Counter, values: dict[str, Values]) -> Iterator[tuple[Series, float]]:
        """A metric's series; skips those with the labels of an older release."""
        for series, value in sorted(values.get(metric.name, {}).items()):
            if len(series) == len(metric.labels) + 1:
                yield series, value

    def _gauge(self, metric: Gauge, name: str, meaning: str) -> GaugeMetricFamily:
        family = GaugeMetricFamily(name, meaning, labels=metric.labels)
        for series, value in self._of(metric, self._gauges):
            family.add_metric(series[1:], value)
        return family

    def _histogram(self, metric: Histogram) -> HistogramMetricFamily:
        family = HistogramMetricFamily(metric.name, metric.meaning, labels=metric.labels)
        found: dict[Series, dict[str, float]] = {}
        for series, value in sorted(self._totals.get(metric.name, {}).items()):
            if len(series) == len(metric.labels) + 2:
                found.setdefault(series[1:-1], {})[series[-1]] = value
        for labels, parts in found.items():
            buckets, so_far = [], 0.0
            for bound in (*map(repr, metric.bounds), INFINITY):
                so_far += parts.get(bound, 0.0)
                buckets.append((bound, so_far))
            family.add_metric(labels, buckets, sum_value=parts.get(SUM, 0.0))
        return family


def _by_metric(values: Values) -> dict[str, Values]:
    found: dict[str, dict[Series, float]] = {}
    for series, value in values.items():
        found.setdefault(series[0], {})[series] = value
    return dict(found)
