"""The recount: what messages of one quarter of an hour have come to, from messaging's own rows."""

from dataclasses import astuple, dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from django.db import connection

from analytics.rollups import countries, persons
from analytics.rollups.histogram import BOUNDS
from analytics.rollups.quarters import ids_of

# A user answers, and we respond, within the customer service window or not at all.
WINDOW = "24 hours"
# A reaction, an edit or a system notice is no answer and waits for none.
NO_ANSWER = ["reaction", "edit", "revoke", "system"]
REACHED = ["accepted", "sent", "delivered", "read"]


@dataclass(frozen=True, slots=True)
class Dims:
    """What messages that are counted together have in common: `models.Dimensions`, whose order of columns this has."""

    number_id: int
    client_id: int
    direction: str
    type: str
    template: str
    campaign: str
    country: str
    category: str
    price_type: str
    status: str
    error_code: int

    @property
    def digest(self) -> UUID:
        """The same for the same dimensions, in every process."""
        text = "\n".join(f"{len(str(part))} {part}" for part in astuple(self))
        return UUID(bytes=sha256(text.encode()).digest()[:16])


@dataclass(frozen=True, slots=True)
class Counts:
    """The measures of `models.Rollup`, whose order of columns this has."""

    messages: int
    accepted: int
    sent: int
    delivered: int
    read: int
    answered: int
    opened: int
    responded: int


@dataclass(frozen=True, slots=True)
class Facts:
    """All counts of one quarter of an hour. A latency's key: dimensions, kind, place."""

    counts: dict[Dims, Counts]
    latencies: dict[tuple[Dims, int, int], int]

    @property
    def messages(self) -> int:
        """How many messages these are."""
        return sum(counts.messages for counts in self.counts.values())


# The trail's unique index begins with the message, so both range scans read nothing but this quarter. Meta's times are
# whole seconds: an answer of the same second may seem to come before what it answers. An outbound message has a wamid
# once Meta has it.
_FACTS = f"""
WITH trail AS (
  SELECT e.message_id, max(array_position(%(reached)s, e.status::text)) AS level,
    max(e.at) FILTER (WHERE e.status = 'accepted') AS accepted_at,
    min(e.at) FILTER (WHERE e.status = 'sent') AS sent_at,
    min(e.at) FILTER (WHERE e.status IN ('delivered', 'read')) AS delivered_at,
    min(e.at) FILTER (WHERE e.status = 'read') AS read_at
  FROM messaging_messageevent e
  WHERE e.message_id >= %(low)s AND e.message_id < %(high)s AND e.status = ANY(%(reached)s)
  GROUP BY e.message_id
), message AS MATERIALIZED (
  SELECT m.number_id, COALESCE(m.client_id, 0) AS client_id, m.direction, m.type, m.template, m.campaign,
    {countries.SQL} AS country, COALESCE(m.pricing_category, '') AS category,
    COALESCE(m.pricing_type, '') AS price_type, m.status, COALESCE(m.error_code, 0) AS error_code,
    m.id, m.peer, m.at, m.wamid, l.level, l.outbound, NOT l.outbound AND NOT m.type = ANY(%(no_answer)s) AS asks,
    CASE WHEN l.outbound THEN extract(epoch FROM t.accepted_at
      - CASE WHEN m.calls <= 1 THEN COALESCE(m.due_at, m.created_at) ELSE m.created_at END)::float8 END AS accept_s,
    CASE WHEN l.outbound THEN extract(epoch FROM t.delivered_at - COALESCE(t.accepted_at, t.sent_at))::float8 END
      AS delivery_s,
    CASE WHEN l.outbound THEN extract(epoch FROM t.read_at - COALESCE(t.accepted_at, t.sent_at))::float8 END AS read_s
  FROM messaging_message m LEFT JOIN trail t ON t.message_id = m.id
  CROSS JOIN LATERAL (SELECT m.direction = 'outbound' AS outbound,
    COALESCE(GREATEST(array_position(%(reached)s, m.status::text), t.level), 0) AS level) l
  WHERE m.id >= %(low)s AND m.id < %(high)s AND m.origin NOT IN ('echo', 'history')
), talk AS MATERIALIZED (
  SELECT m.*,
    m.outbound AND m.level > 0 AND (EXISTS (
      SELECT FROM messaging_message i WHERE i.peer = m.peer AND i.at >= date_trunc('second', m.at)
        AND i.at < m.at + %(window)s::interval AND i.number_id = m.number_id AND i.direction = 'inbound'
        AND i.origin <> 'history' AND NOT i.type = ANY(%(no_answer)s)) OR {persons.ANY_USER_ID} AND EXISTS (
      SELECT FROM ({persons.other_address("m.peer")}) other JOIN messaging_message i ON i.peer = other.peer
        AND i.at >= date_trunc('second', m.at) AND i.at < m.at + %(window)s::interval AND i.number_id = m.number_id
        AND i.direction = 'inbound' AND i.origin <> 'history' AND NOT i.type = ANY(%(no_answer)s))) AS answered,
    m.asks AND 'inbound' IS DISTINCT FROM (
      SELECT p.direction FROM messaging_message p WHERE p.peer = m.peer AND p.at >= m.at - %(window)s::interval
        AND (p.at, p.id) < (m.at, m.id) AND p.number_id = m.number_id AND p.origin <> 'history'
        AND (p.direction = 'outbound' AND p.wamid IS NOT NULL
          OR p.direction = 'inbound' AND NOT p.type = ANY(%(no_answer)s))
      ORDER BY p.at DESC, p.id DESC LIMIT 1) AS opened
  FROM message m
), counted AS MATERIALIZED (
  SELECT m.*, CASE WHEN m.opened THEN (
      SELECT extract(epoch FROM o.at - m.at)::float8 FROM messaging_message o WHERE o.peer = m.peer AND o.at >= m.at
        AND o.at < m.at + %(window)s::interval AND o.number_id = m.number_id AND o.direction = 'outbound'
        AND o.origin <> 'history' AND o.wamid IS NOT NULL
      ORDER BY o.at LIMIT 1) END AS response_s
  FROM talk m
)
SELECT 0 AS kind, 0 AS place, number_id, client_id, direction, type, template, campaign, country, category, price_type,
  status, error_code, count(*), count(*) FILTER (WHERE outbound AND level >= 1),
  count(*) FILTER (WHERE outbound AND level >= 2), count(*) FILTER (WHERE outbound AND level >= 3),
  count(*) FILTER (WHERE outbound AND level >= 4), count(*) FILTER (WHERE answered), count(*) FILTER (WHERE opened),
  count(response_s)
FROM counted GROUP BY 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
UNION ALL
SELECT d.kind, width_bucket(GREATEST(d.s, 0), %(bounds)s::float8[]), number_id, client_id, direction, type,
  template, campaign, country, category, '', '', 0, count(*), 0, 0, 0, 0, 0, 0, 0
FROM counted CROSS JOIN LATERAL (VALUES (1, accept_s), (2, delivery_s), (3, read_s), (4, response_s)) d(kind, s)
WHERE d.s IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
"""  # noqa: S608 - the country's part is a constant of ours


def count_facts(start: datetime) -> Facts:
    """Count the messages of the quarter of an hour that begins at `start`."""
    low, high = ids_of(start)
    with connection.cursor() as cursor:
        cursor.execute(
            _FACTS,
            {
                "low": low,
                "high": high,
                "reached": REACHED,
                "window": WINDOW,
                "no_answer": NO_ANSWER,
                "bounds": list(BOUNDS),
                **countries.PARAMETERS,
            },
        )
        rows = cursor.fetchall()
    counts = {Dims(*row[2:13]): Counts(*row[13:]) for row in rows if row[0] == 0}
    latencies = {(Dims(*row[2:13]), row[0], row[1]): row[13] for row in rows if row[0] != 0}
    return Facts(counts, latencies)
