"""Metric flushing to the configured store, started once by each process."""

from collections.abc import Mapping

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from waproject.metrics import counters


def start_flushing(every: float = counters.FLUSH_EVERY_S) -> None:
    """Flush the counts of this process, and of those it forks, to `settings.METRICS_STORE`."""
    counters.start_flushing(_store, every)


def _store(sums: Mapping[counters.Series, float]) -> None:
    try:
        import_string(settings.METRICS_STORE)(sums)
    finally:
        # Between flushes, ten seconds apart, the thread needs no database connection.
        connection.close()
