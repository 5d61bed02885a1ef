"""Totals of the counters of all processes, in the database."""

from collections.abc import Mapping

from django.db import connection

from monitoring.models import Count
from monitoring.models.counts import SERIES_LENGTH
from waproject.metrics.counters import Series

SEPARATOR = "/"


def add(sums: Mapping[Series, float]) -> None:
    """Add to the totals, in one statement. Raises django.db errors, after which nothing was added."""
    texts = {text: by for series, by in sums.items() if len(text := SEPARATOR.join(series)) <= SERIES_LENGTH}
    if not texts:
        return
    with connection.cursor() as cursor:
        # bench/pipeline/statements.py recognises this statement by its comment. One order of rows everywhere, so that
        # processes which flush at the same time cannot deadlock.
        cursor.execute(
            """/* counters */
            INSERT INTO monitoring_count AS c (series, value)
            SELECT series, value FROM unnest(%s::text[], %s::float8[]) AS g(series, value) ORDER BY series
            ON CONFLICT (series) DO UPDATE SET value = c.value + excluded.value
            """,
            [list(texts), list(texts.values())],
        )


def totals() -> dict[Series, float]:
    """All totals."""
    return {tuple(series.split(SEPARATOR)): value for series, value in Count.objects.values_list("series", "value")}
