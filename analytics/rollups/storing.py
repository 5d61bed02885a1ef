"""Writing the counts of a quarter of an hour in the place of those before, and those of its hour."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.rollups.facts import Counts, Dims, Facts
from analytics.rollups.quarters import HOUR, day_of, hour_of

MINUTES, HOUR_MINUTES = 15, 60
MEASURES = tuple(field.name for field in fields(Counts))

_DIMENSIONS = """
INSERT INTO analytics_dimensions (digest, number_id, client_id, direction, type, template, campaign, country, category,
  price_type, status, error_code)
SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
  %s::text[], %s::text[], %s::text[], %s::int[])
ON CONFLICT (digest) DO NOTHING
"""
_ROLLUPS = """
INSERT INTO analytics_rollup (minutes, start, dimensions_id, messages, accepted, sent, delivered, read, answered,
  opened, responded)
SELECT 15, %s, t.* FROM unnest(%s::bigint[], %s::int[], %s::int[], %s::int[], %s::int[], %s::int[], %s::int[],
  %s::int[], %s::int[]) AS t
"""
_LATENCIES = """
INSERT INTO analytics_latency (minutes, start, dimensions_id, kind, place, count)
SELECT 15, %s, t.* FROM unnest(%s::bigint[], %s::int[], %s::int[], %s::int[]) AS t
"""
_HOUR_ROLLUPS = """
INSERT INTO analytics_rollup (minutes, start, dimensions_id, messages, accepted, sent, delivered, read, answered,
  opened, responded)
SELECT 60, %(hour)s, dimensions_id, sum(messages), sum(accepted), sum(sent), sum(delivered), sum(read), sum(answered),
  sum(opened), sum(responded)
FROM analytics_rollup WHERE minutes = 15 AND start >= %(hour)s AND start < %(next)s GROUP BY dimensions_id
"""
_HOUR_LATENCIES = """
INSERT INTO analytics_latency (minutes, start, dimensions_id, kind, place, count)
SELECT 60, %(hour)s, dimensions_id, kind, place, sum(count)
FROM analytics_latency WHERE minutes = 15 AND start >= %(hour)s AND start < %(next)s
GROUP BY dimensions_id, kind, place
"""
# Its lock keeps the day from being summed up until these counts are committed.
_DIRTY_DAY = """
INSERT INTO analytics_day (start, dirty_since, due_at, took_ms)
VALUES (%s, statement_timestamp(), statement_timestamp(), 0)
ON CONFLICT (start) DO UPDATE
  SET dirty_since = COALESCE(analytics_day.dirty_since, EXCLUDED.dirty_since)
"""


def write(start: datetime, facts: Facts) -> None:
    """Put these counts in the place of the quarter's, and sum up its hour; its day is dirty now. Inside a
    transaction.

    Two quarters of one hour wait for each other: each needs to see the other's counts.
    """
    hour = hour_of(start)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('analytics hour'), %s)", [int(hour.timestamp() // 3600)])
        ids = _dimensions(cursor, {*facts.counts, *(dims for dims, _, _ in facts.latencies)})
        for table in ("analytics_rollup", "analytics_latency"):
            cursor.execute(f"DELETE FROM {table} WHERE minutes = 15 AND start = %s", [start])  # noqa: S608
            cursor.execute(f"DELETE FROM {table} WHERE minutes = 60 AND start = %s", [hour])  # noqa: S608
        rollups = [(ids[dims], *astuple(counts)) for dims, counts in facts.counts.items()]
        latencies = [(ids[dims], kind, place, count) for (dims, kind, place), count in facts.latencies.items()]
        _insert(cursor, _ROLLUPS, start, rollups)
        _insert(cursor, _LATENCIES, start, latencies)
        span = {"hour": hour, "next": hour + HOUR}
        cursor.execute(_HOUR_ROLLUPS, span)
        cursor.execute(_HOUR_LATENCIES, span)
        cursor.execute(_DIRTY_DAY, [day_of(start)])


def _dimensions(cursor: Any, wanted: set[Dims]) -> dict[Dims, int]:
    """The keys of these dimensions; new ones are stored, in order, so that two workers cannot deadlock."""
    by_digest = {dims.digest: dims for dims in wanted}
    known = _known(cursor, by_digest)
    if missing := sorted(set(by_digest) - set(known)):
        columns = zip(*((digest, *astuple(by_digest[digest])) for digest in missing), strict=True)
        cursor.execute(_DIMENSIONS, [list(column) for column in columns])
        known |= _known(cursor, missing)
    return {by_digest[digest]: key for digest, key in known.items()}


def _known(cursor: Any, digests: Iterable[Any]) -> dict[Any, int]:
    cursor.execute("SELECT digest, id FROM analytics_dimensions WHERE digest = ANY(%s::uuid[])", [list(digests)])
    return dict(cursor.fetchall())


def _insert(cursor: Any, statement: str, start: datetime, rows: Sequence[tuple[int, ...]]) -> None:
    if rows:
        cursor.execute(statement, [start, *(list(column) for column in zip(*rows, strict=True))])
