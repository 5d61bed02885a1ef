"""The last hour's samples with current readings at their end, for pages and the summary."""

from datetime import timedelta

from django.core.cache import cache
from django.utils import timezone

from monitoring.metrics import gauges, samples, totals
from monitoring.metrics.gauges import QUEUE_AGE, SAMPLE_AGE
from monitoring.metrics.samples import Moment
from monitoring.metrics.window import Window

SPAN = timedelta(hours=1)
POINTS = 60
FINE_SPAN = timedelta(minutes=6)
# However many people look: each web process asks the database and SQS this often.
FRESH_S = 4
CACHE_KEY = "monitoring-live"


def window() -> Window:
    """Raises django.db errors."""
    cached: Window | None = cache.get(CACHE_KEY)
    if cached is None:
        cached = _window()
        cache.set(CACHE_KEY, cached, FRESH_S)
    return cached


def _window() -> Window:
    past = samples.history(SPAN, POINTS)
    now = timezone.now()
    if past:
        fine = samples.since(now - FINE_SPAN)
        past = [*(moment for moment in past if not fine or moment.at < fine[0].at), *fine]
    values = {**totals.totals(), **gauges.read()}
    if past:
        age = (now - past[-1].at).total_seconds()
        values[SAMPLE_AGE.name,] = age
        # The estimate is the monitor's; a queue that still holds something has aged since.
        for series in samples.names(past, QUEUE_AGE.name):
            estimate = past[-1].values[series]
            values[series] = estimate + age if estimate and values.get((gauges.QUEUE.name, series[1], "waiting")) else 0
    return Window((*past, Moment(now, samples.without_buckets(values))))
