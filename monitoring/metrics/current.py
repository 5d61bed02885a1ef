"""The last hour's samples followed by current readings, for pages and the summary."""

from datetime import timedelta

from django.core.cache import cache
from django.utils import timezone

from monitoring.metrics import gauges, samples, totals
from monitoring.metrics.gauges import QUEUE_AGE, SAMPLE_AGE
from monitoring.metrics.samples import Snapshot
from monitoring.metrics.window import GAP_S, Window

# An hour, and the sample before it.
SPAN = timedelta(hours=1, seconds=GAP_S)
POINTS = 60
RAW_SPAN = timedelta(minutes=6)
# Each web process queries the database and SQS at most once in this time, however many viewers there are.
CACHED_S = 4
CACHE_KEY = "monitoring-window"


def window() -> Window:
    """Raises django.db errors."""
    cached: Window | None = cache.get(CACHE_KEY)
    if cached is None:
        cached = _window()
        cache.set(CACHE_KEY, cached, CACHED_S)
    return cached


def _window() -> Window:
    past = samples.history(SPAN, POINTS)
    now = timezone.now()
    if past:
        raw = samples.since(now - RAW_SPAN)
        past = [*(snapshot for snapshot in past if not raw or snapshot.at < raw[0].at), *raw]
    values = {**totals.totals(), **gauges.read(past[-1].values if past else {})}
    if past:
        age = (now - past[-1].at).total_seconds()
        values[SAMPLE_AGE.name,] = age
        # The monitor estimated the age; while the queue holds messages, add the time since then.
        for series in samples.series_of(past, QUEUE_AGE.name):
            estimate = past[-1].values[series]
            values[series] = estimate + age if estimate and values.get((gauges.QUEUE.name, series[1], "waiting")) else 0
    return Window((*past, Snapshot(now, samples.without_buckets(values))))
