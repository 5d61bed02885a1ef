"""The start of metric flushing, called once by each process."""

from collections.abc import Mapping

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from waproject.metrics import counters


def keep_metrics(every: float = counters.KEEP_EVERY_S) -> None:
    """Hand the counts of this process and of those it forks to `settings.METRICS_STORE` from now on."""
    counters.keep(_store, every)


def _store(sums: Mapping[counters.Series, float]) -> None:
    try:
        import_string(settings.METRICS_STORE)(sums)
    finally:
        # A thread that stores every ten seconds need not hold one of the server's connections in between.
        connection.close()
