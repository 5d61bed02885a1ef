"""Facts of single messages: what identifies one and what became of it, without text, phone number or wamid.

Read in chunks by short queries, so that memory stays constant and no snapshot holds back vacuum (docs/decisions,
"A CSV export is many short queries"). The messages of a period are those that the questions count in it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from analytics.questions import DIMENSIONS, Question, conditions, load_names
from analytics.rollups import countries, markets
from messaging.identifiers import first_uuid7

# In this order. Times are UTC.
COLUMNS = (
    *("id", "reference", "direction", "client", "sender", "account", "type", "template", "campaign", "country"),
    *("market", "category", "price_type", "billable", "status", "error_code"),
    *("created_at", "accepted_at", "sent_at", "delivered_at", "read_at", "failed_at"),
)
CHUNK = 5_000
# A filter that few messages pass makes no statement read more than the messages of this time.
WINDOW = timedelta(hours=6)

_FACTS = f"""
WITH d AS MATERIALIZED (
  SELECT * FROM (
    SELECT m.id, m.reference, m.direction, m.number_id, COALESCE(m.client_id, 0) AS client_id, m.type, m.template,
      m.campaign, {countries.SQL} AS country, CASE WHEN m.direction = 'outbound' THEN {markets.SQL} ELSE '' END
      AS market, COALESCE(m.pricing_category, '') AS category, COALESCE(m.pricing_type, '') AS price_type, m.billable,
      m.status, COALESCE(m.error_code, 0) AS error_code, m.created_at
    FROM messaging_message m WHERE m.id >= %(low)s AND m.id < %(high)s AND m.origin NOT IN ('echo', 'history')
  ) d WHERE #conditions# ORDER BY d.id LIMIT %(chunk)s
)
SELECT d.id, d.reference, d.direction, d.client_id, d.number_id, d.type, d.template, d.campaign, d.country, d.market,
  d.category, d.price_type, d.billable, d.status, NULLIF(d.error_code, 0), d.created_at, t.accepted_at, t.sent_at,
  t.delivered_at, t.read_at, t.failed_at
FROM d LEFT JOIN LATERAL (
  SELECT min(e.at) FILTER (WHERE e.status = 'accepted') AS accepted_at,
    min(e.at) FILTER (WHERE e.status = 'sent') AS sent_at,
    min(e.at) FILTER (WHERE e.status = 'delivered') AS delivered_at,
    min(e.at) FILTER (WHERE e.status = 'read') AS read_at,
    min(e.at) FILTER (WHERE e.status = 'failed') AS failed_at
  FROM messaging_messageevent e WHERE e.message_id = d.id
) t ON true ORDER BY d.id
"""  # noqa: S608 - constants of ours; the conditions name columns, their values are parameters

Fact = tuple[Any, ...]


def facts(question: Question) -> Iterator[Sequence[Fact]]:
    """Chunks of rows with the values of COLUMNS, oldest message first."""
    begin = question.period.since
    while begin < question.period.until:
        end = min(begin + WINDOW, question.period.until)
        yield from _window(question, begin, end)
        begin = end


def _window(question: Question, begin: datetime, end: datetime) -> Iterator[Sequence[Fact]]:
    filters, values = conditions(question)
    known = load_names(DIMENSIONS.values())
    low, high = first_uuid7(begin), first_uuid7(end)
    while True:
        parameters = {**values, **countries.PARAMETERS, **markets.PARAMETERS, "low": low, "high": high, "chunk": CHUNK}
        with connection.cursor() as cursor:
            cursor.execute(_FACTS.replace("#conditions#", filters), parameters)
            rows = cursor.fetchall()
        if rows:
            yield [
                (
                    *(str(row[0]), row[1], row[2], known.clients.get(row[3], "")),
                    *(known.senders.get(row[4], ""), known.accounts.get(row[4], ""), *row[5:]),
                )
                for row in rows
            ]
        if len(rows) < CHUNK:
            return
        low = _next(rows[-1][0])


def _next(message_id: UUID | str) -> UUID:
    return UUID(int=UUID(str(message_id)).int + 1)
