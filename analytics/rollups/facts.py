"""The recount: what messages of one quarter of an hour have come to, from messaging's own rows."""

from typing import Any
from uuid import UUID

from analytics.rollups import contact_addresses, countries
from analytics.rollups.contact_addresses import has_wamid
from analytics.rollups.dimension_views import COLUMNS, NO_DURATIONS, NOTHING
from analytics.rollups.histogram import BOUNDS, PLACES

# A user answers, and we respond, within the customer service window or not at all.
WINDOW = "24 hours"
# A reaction, an edit or a system notice is no answer, of a user or of ours, and waits for none.
NO_ANSWER = ["reaction", "edit", "revoke", "system"]
REACHED = ["accepted", "sent", "delivered", "read"]

_DIMENSIONS = ", ".join(COLUMNS)
_TIMED_BY = ", ".join(name for name in COLUMNS if name not in NO_DURATIONS)
_TIMED = ", ".join(f"{NOTHING[name]} AS {name}" if name in NO_DURATIONS else name for name in COLUMNS)
_PLACES = ", ".join(f"count(*) FILTER (WHERE place = {place}) AS p{place}" for place in range(PLACES))

# Two parts of a statement: `counted`, with messages by their dimensions, and `timed`, with durations.
#
# The trail is asked by message: ids of the last minutes lie beyond the planner's statistics, and for the one row that
# it expects there it would read the whole trail of a quarter again with each message. Meta's times are whole seconds:
# an answer of the same second may seem to come before what it answers. An outbound message has a wamid once Meta has
# it. Of a reaction Meta reports no more than `sent`: counted as accepted, it would lower the share of those delivered.
FACTS = f"""
message AS MATERIALIZED (
  SELECT m.number_id, COALESCE(m.client_id, 0) AS client_id, m.direction, m.type, m.template, m.campaign,
    {countries.SQL} AS country, COALESCE(m.pricing_category, '') AS category,
    COALESCE(m.pricing_type, '') AS price_type, m.status, COALESCE(m.error_code, 0) AS error_code,
    m.id, m.peer, m.at, m.wamid, l.level, l.outbound, NOT l.outbound AND NOT m.type = ANY(%(no_answer)s) AS asks,
    CASE WHEN l.outbound THEN extract(epoch FROM t.accepted_at
      - CASE WHEN m.calls <= 1 THEN COALESCE(m.due_at, m.created_at) ELSE m.created_at END)::float8 END AS accept_s,
    CASE WHEN l.outbound THEN extract(epoch FROM t.delivered_at - COALESCE(t.accepted_at, t.sent_at))::float8 END
      AS delivery_s,
    l.outbound AND m.status IN ('delivered', 'read') AND t.delivered_at IS NULL AS untraced,
    CASE WHEN l.outbound THEN extract(epoch FROM t.read_at - COALESCE(t.accepted_at, t.sent_at))::float8 END AS read_s
  FROM messaging_message m CROSS JOIN LATERAL (
    SELECT max(array_position(%(reached)s, e.status::text)) AS level,
      max(e.at) FILTER (WHERE e.status = 'accepted') AS accepted_at,
      min(e.at) FILTER (WHERE e.status = 'sent') AS sent_at,
      min(e.at) FILTER (WHERE e.status IN ('delivered', 'read')) AS delivered_at,
      min(e.at) FILTER (WHERE e.status = 'read') AS read_at
    FROM messaging_messageevent e WHERE e.message_id = m.id AND e.status = ANY(%(reached)s)
  ) t CROSS JOIN LATERAL (SELECT m.direction = 'outbound' AS outbound, CASE WHEN m.type = 'reaction' THEN 0
    ELSE COALESCE(GREATEST(array_position(%(reached)s, m.status::text), t.level), 0) END AS level) l
  WHERE m.id >= %(low)s AND m.id < %(high)s AND m.origin NOT IN ('echo', 'history')
), talk AS MATERIALIZED (
  SELECT m.*,
    m.outbound AND m.level > 0 AND (EXISTS (
      SELECT FROM messaging_message i WHERE i.peer = m.peer AND i.at >= date_trunc('second', m.at)
        AND i.at < m.at + %(window)s::interval AND i.number_id = m.number_id AND i.direction = 'inbound'
        AND i.origin <> 'history' AND NOT i.type = ANY(%(no_answer)s)) OR {contact_addresses.ANY_USER_ID} AND EXISTS (
      SELECT FROM ({contact_addresses.other_address("m.peer")}) other JOIN messaging_message i ON i.peer = other.peer
        AND i.at >= date_trunc('second', m.at) AND i.at < m.at + %(window)s::interval AND i.number_id = m.number_id
        AND i.direction = 'inbound' AND i.origin <> 'history' AND NOT i.type = ANY(%(no_answer)s))) AS answered,
    m.asks AND 'inbound' IS DISTINCT FROM (
      SELECT p.direction FROM messaging_message p WHERE p.peer = m.peer AND p.at >= m.at - %(window)s::interval
        AND (p.at, p.id) < (m.at, m.id) AND p.number_id = m.number_id AND p.origin <> 'history'
        AND (p.direction = 'inbound' OR {has_wamid("p")}) AND NOT p.type = ANY(%(no_answer)s)
      ORDER BY p.at DESC, p.id DESC LIMIT 1) AS opened
  FROM message m
), replied AS MATERIALIZED (
  SELECT m.*, CASE WHEN m.opened THEN (
      SELECT extract(epoch FROM o.at - m.at)::float8 FROM messaging_message o WHERE o.peer = m.peer AND o.at >= m.at
        AND o.at < m.at + %(window)s::interval AND o.number_id = m.number_id AND o.direction = 'outbound'
        AND o.origin <> 'history' AND {has_wamid("o")} AND NOT o.type = ANY(%(no_answer)s)
      ORDER BY o.at LIMIT 1) END AS response_s
  FROM talk m
), counted AS MATERIALIZED (
  SELECT 0 AS view, {_DIMENSIONS}, count(*) AS messages, count(*) FILTER (WHERE outbound AND level >= 1) AS accepted,
    count(*) FILTER (WHERE outbound AND level >= 2) AS sent,
    count(*) FILTER (WHERE outbound AND level >= 3) AS delivered,
    count(*) FILTER (WHERE outbound AND level >= 4) AS read, count(*) FILTER (WHERE answered) AS answered,
    count(*) FILTER (WHERE outbound AND status = 'failed') AS failed, count(*) FILTER (WHERE opened) AS opened,
    count(response_s) AS responded
  FROM replied GROUP BY {_DIMENSIONS}
), timed AS MATERIALIZED (
  SELECT 0 AS view, {_TIMED}, kind, {_PLACES}
  FROM (
    SELECT {_TIMED_BY}, d.kind, width_bucket(GREATEST(d.s, 0), %(bounds)s::float8[]) AS place
    FROM replied CROSS JOIN LATERAL (VALUES (1, accept_s), (2, delivery_s), (3, read_s), (4, response_s)) d(kind, s)
    WHERE d.s IS NOT NULL
  ) AS duration GROUP BY {_TIMED_BY}, kind
)
"""  # noqa: S608 - column names, and constants of ours


def parameters(low: UUID, high: UUID) -> dict[str, Any]:
    """The parameters of FACTS for messages with ids from `low` until before `high`."""
    return {
        "low": low,
        "high": high,
        "reached": REACHED,
        "window": WINDOW,
        "no_answer": NO_ANSWER,
        "bounds": list(BOUNDS),
        **countries.PARAMETERS,
    }
