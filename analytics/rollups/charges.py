"""The charges of one quarter of an hour: its delivered messages by when they were delivered and what Meta bills."""

from datetime import datetime

from django.db import connection

from analytics.rollups import markets
from analytics.rollups.quarters import ids_of

# Meta charges what is delivered, at the price of that moment. An entry of the trail may have been deleted: then the
# time of Meta's answer is the nearest one that is left.
_CHARGES = f"""
INSERT INTO analytics_charge (bucket, at, number_id, client_id, template, campaign, market, category, price_type,
  messages)
SELECT %(start)s, date_bin('15 minutes', COALESCE(t.at, m.outcome_at, m.at), timestamptz '1970-01-01 00:00+00'),
  m.number_id, COALESCE(m.client_id, 0), m.template, m.campaign, {markets.SQL},
  replace(COALESCE(m.pricing_category, ''), '-', '_'), COALESCE(m.pricing_type, ''), count(*)
FROM messaging_message m CROSS JOIN LATERAL (
  SELECT min(e.at) AS at FROM messaging_messageevent e WHERE e.message_id = m.id AND e.status IN ('delivered', 'read')
) t
WHERE m.id >= %(low)s AND m.id < %(high)s AND m.direction = 'outbound' AND m.origin NOT IN ('echo', 'history')
  AND (t.at IS NOT NULL OR m.status IN ('delivered', 'read'))
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
"""  # noqa: S608 - the market's part is a constant of ours


def write_charges(start: datetime) -> None:
    """Count the charges of the bucket that begins at `start`, in the place of those before. Inside a transaction."""
    low, high = ids_of(start)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM analytics_charge WHERE bucket = %s", [start])
        cursor.execute(_CHARGES, {"start": start, "low": low, "high": high, **markets.PARAMETERS})
