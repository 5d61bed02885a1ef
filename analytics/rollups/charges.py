"""The charges of one quarter of an hour: its delivered messages by when they were delivered and what Meta bills."""

from datetime import datetime
from typing import Any

from django.db import connection

from analytics.rollups import markets
from analytics.rollups.quarters import ids_of
from analytics.rollups.running_charges import RUNNING, running_quarter, running_sums

# Meta charges what is delivered, at the price of that moment. An entry of the trail may have been deleted: then the
# time of Meta's answer is the nearest one that is left.
_FRESH = f"""
SELECT date_bin('15 minutes', COALESCE(t.at, m.outcome_at, m.at), timestamptz '1970-01-01 00:00+00') AS at,
  m.number_id, COALESCE(m.client_id, 0) AS client_id, m.template, m.campaign, {markets.SQL} AS market,
  replace(COALESCE(m.pricing_category, ''), '-', '_') AS category, COALESCE(m.pricing_type, '') AS price_type,
  count(*)::int AS messages
FROM messaging_message m CROSS JOIN LATERAL (
  SELECT min(e.at) AS at FROM messaging_messageevent e WHERE e.message_id = m.id AND e.status IN ('delivered', 'read')
) t
WHERE m.id >= %(low)s AND m.id < %(high)s AND m.direction = 'outbound' AND m.origin NOT IN ('echo', 'history')
  AND (t.at IS NOT NULL OR m.status IN ('delivered', 'read'))
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""  # noqa: S608 - the market's part is a constant of ours
_BY = "number_id, client_id, template, campaign, market, category, price_type"
# What is in both, the old and the new, stays; only the days of what changed become dirty.
_CHARGES = f"""
WITH fresh AS ({_FRESH}), changed AS MATERIALIZED (
  SELECT min(id) AS id, at, {_BY}, messages FROM (
    SELECT id, at, {_BY}, messages FROM analytics_charge WHERE bucket = %(start)s
    UNION ALL SELECT NULL, at, {_BY}, messages FROM fresh) AS both_of
  GROUP BY at, {_BY}, messages HAVING count(*) = 1
), gone AS (
  DELETE FROM analytics_charge WHERE id IN (SELECT id FROM changed WHERE id IS NOT NULL) RETURNING at
), made AS (
  INSERT INTO analytics_charge (bucket, at, {_BY}, messages)
  SELECT %(start)s, at, {_BY}, messages FROM changed WHERE id IS NULL RETURNING at
)
SELECT at FROM gone UNION SELECT at FROM made
"""  # noqa: S608 - names of columns
_IN_DAY = "at >= %(start)s AND at < %(start)s + %(minutes)s * interval '1 minute'"
_DAY = f"""
INSERT INTO analytics_daycharge (start, minutes, {_BY}, messages)
SELECT %(start)s, %(minutes)s, {_BY}, sum(messages) FROM analytics_charge
WHERE {_IN_DAY} GROUP BY {_BY}
"""  # noqa: S608 - names of columns
_RUN_OF_DAY = running_sums(
    (),
    f"""
    SELECT {running_quarter("at", "%(start)s")} AS quarter, {_BY}, messages FROM analytics_charge
    WHERE {_IN_DAY} AND price_type = 'regular'
    """,  # noqa: S608 - names of columns
)
_RUNNING_COLUMNS = ", ".join(RUNNING)
_RUN = f"""
INSERT INTO analytics_runningcharge (start, minutes, {_RUNNING_COLUMNS})
SELECT %(start)s, %(minutes)s, {_RUNNING_COLUMNS} FROM ({_RUN_OF_DAY}) AS run ORDER BY market, category, whole
"""  # noqa: S608 - names of columns


def write_charges(start: datetime) -> list[datetime]:
    """Count the charges of the bucket that begins at `start`, replacing the earlier ones; returns the quarters of an
    hour whose charges changed. Inside a transaction."""
    low, high = ids_of(start)
    with connection.cursor() as cursor:
        cursor.execute(_CHARGES, {"start": start, "low": low, "high": high, **markets.PARAMETERS})
        return [at for (at,) in cursor.fetchall()]


def sum_charges(cursor: Any, start: datetime, minutes: int) -> None:
    """Replace the charges of the day of this length that begins at `start`, and their running sums."""
    day = {"start": start, "minutes": minutes}
    for table in ("analytics_daycharge", "analytics_runningcharge"):
        cursor.execute(f"DELETE FROM {table} WHERE start = %(start)s AND minutes = %(minutes)s", day)  # noqa: S608
    cursor.execute(_DAY, day)
    cursor.execute(_RUN, day)
