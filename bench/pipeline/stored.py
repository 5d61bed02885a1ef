"""Stored messages of earlier days, made by the database itself, so that costs can be measured at a pipeline's age."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.errors import BenchError
from bench.pipeline.running import Pipeline

CONTACTS = 150_000

_FILL = """
INSERT INTO messaging_message (id, direction, number_id, contact_id, peer, wamid, type, content, text, context_wamid,
  origin, status, at, created_at, updated_at, priority, due_at, releases, released_at, outcome_at, attempts, calls,
  error_code, error_title, reference, campaign, template, on_unknown, generation)
SELECT uuidv7(age), CASE WHEN inbound THEN 'inbound' ELSE 'outbound' END, number.id,
  CASE WHEN inbound THEN contact.id END, peer, 'wamid.BENCH' || n, 'text', '{"content": "hello"}',
  'Your order ' || n || ' is on its way and arrives between nine and ten', '',
  CASE WHEN inbound THEN 'user' ELSE '' END,
  CASE WHEN inbound THEN 'received' WHEN n %% 50 = 0 THEN 'failed' WHEN n %% 3 = 0 THEN 'delivered' ELSE 'read' END,
  now() + age, now() + age, now() + age, 5, CASE WHEN NOT inbound THEN now() + age END, 1,
  CASE WHEN NOT inbound THEN now() + age END, CASE WHEN NOT inbound THEN now() + age END, 1, 1,
  CASE WHEN NOT inbound AND n %% 50 = 0 THEN 131026 END, '', CASE WHEN n %% 10 = 0 THEN 'order ' || n ELSE '' END,
  CASE WHEN n %% 4 = 0 THEN 'campaign ' || n / 50000 ELSE '' END, '', 'wait', 0
FROM (
  SELECT n, n %% 3 = 1 AS inbound, (n - %s) * interval '2 seconds' - %s * interval '1 day' AS age,
    CASE WHEN n %% 50 = 7 THEN '15550000000'
      ELSE '1555' || lpad((n::bigint * 7919 %% 150000 + 1)::text, 7, '0') END AS peer
  FROM generate_series(1, %s) AS n
) AS made
LEFT JOIN messaging_contact contact ON contact.phone_key = peer
CROSS JOIN (SELECT min(id) AS id FROM messaging_businessnumber) AS number
ORDER BY n
"""
_CONTACTS = """
INSERT INTO messaging_contact (portfolio, phone, phone_key, name, username, consent_source, first_seen_at, last_seen_at)
SELECT '', peer, peer, 'Customer ' || n, '', '', now(), now()
FROM (SELECT n, '1555' || lpad(n::text, 7, '0') AS peer FROM generate_series(0, %s) AS n) AS made
"""
_EVENTS = """
INSERT INTO messaging_messageevent (message_id, status, at, source, applied, error_title)
SELECT m.id, s.status, m.at, 'webhook', true, '' FROM messaging_message m
CROSS JOIN unnest(ARRAY['sent', 'delivered', 'read']) AS s(status)
WHERE m.direction = 'outbound' AND m.error_code IS NULL AND m.reference <> ''
"""
# Their quarters of an hour were counted in their own days: without this the analytics worker would count them during
# the measurement.
_COUNTED = """
INSERT INTO analytics_cursor (name, position) SELECT 'rollups', max(id) FROM messaging_messageevent
ON CONFLICT (name) DO UPDATE SET position = EXCLUDED.position, mark_id = NULL, mark_xid = NULL, seen_id = NULL
"""


@contextmanager
def transaction(cursor: Any) -> Iterator[None]:
    """One transaction on a connection that commits each statement."""
    cursor.execute("BEGIN")
    yield
    cursor.execute("COMMIT")


def fill_once(pipeline: Pipeline, messages: int) -> float:
    """Store this many messages unless a kept database has them; the seconds that it took. Raises BenchError."""
    (stored,) = pipeline.ask("SELECT count(*) FROM messaging_message")[0]
    if stored >= messages:
        pipeline.ask("VACUUM ANALYZE messaging_message, messaging_messageevent, messaging_contact")
        return 0.0
    if stored:
        raise BenchError(f"the kept database has {stored:,} messages, not {messages:,}: name another directory")
    return fill(pipeline, messages)


def fill(pipeline: Pipeline, messages: int, days_ago: int = 0) -> float:
    """Store this many more messages, two seconds apart, the newest this many days old; the seconds that it took."""
    begun = time.monotonic()
    connection = pipeline.connect()
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        # What is made here need not outlive a crash of the server.
        cursor.execute("SET synchronous_commit = off")
        cursor.execute(_CONTACTS, (min(CONTACTS, messages),))
        cursor.execute(_FILL, (messages, days_ago, messages))
        with transaction(cursor):
            # The sweep waits for this lock, so it never sees the rows without the new position.
            cursor.execute("LOCK analytics_cursor IN EXCLUSIVE MODE")
            cursor.execute(_EVENTS)
            cursor.execute(_COUNTED)
        cursor.execute("VACUUM ANALYZE messaging_message, messaging_messageevent, messaging_contact")
    connection.close()
    return time.monotonic() - begun
