"""Test data of ninety days: messages with their trails, made by the database itself, a day at a time.

A quarter of the messages are users'. Sixty percent of the others belong to one of twelve campaigns at a time, each with
a number, client and template of its own; the rest are notifications by template, and answers. Some twenty countries
have uneven shares, hours of the day their weight, and about three percent fail for nine reasons.
"""

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from messaging.identifiers import first_uuid7

DAY = timedelta(days=1)
QUARTER = timedelta(minutes=15)
DAYS = 90
# The database makes them, a process for each connection: as many as this machine has cores.
AT_ONCE = 2
NUMBERS = 4
CLIENTS = 5
PEOPLE = 400_000
# The first digits of people, the more often the more of them.
PREFIXES = (
    "4915", "4915", "4915", "4915", "4915", "4917", "1415", "1415", "1212", "5511", "5511", "5521", "9198", "9198",
    "9198", "9199", "6281", "6281", "5255", "5255", "4477", "4477", "3466", "3933", "336", "2348", "2773", "9715",
    "9665", "905", "541", "571", "628", "351", "31", "4366", "4179", "48", "77", "972",
)  # fmt: skip

_NUMBERS = """
INSERT INTO messaging_businessnumber (phone_number_id, display_phone_number, waba_id, portfolio, rate, pause_reason,
  paused_by, tokens, tokens_at, throttles, pace_share, failures, probe_step, created_at)
SELECT '90' || n, '', 'account ' || n %% 2, '', 80, '', '', 0, now(), 0, 1, 0, 0, now() FROM generate_series(1, %s) n
ON CONFLICT DO NOTHING
"""
_CLIENTS = """
INSERT INTO messaging_apiclient (name, active, operator, created_at)
SELECT 'bench client ' || n, true, false, now() FROM generate_series(1, %s) n ON CONFLICT DO NOTHING
"""
# u: where in the day, most of it about noon. r1 to r4: chances of their own.
_MESSAGES = """
WITH made AS MATERIALIZED (
  SELECT n, random() AS r1, random() AS r2, random() AS r3, random() AS r4,
    %(start)s::timestamptz + %(length)s::interval * (u + 0.6 * sin(2 * pi() * u) / (2 * pi())) AS made_at,
    floor(%(people)s * random() * random())::bigint AS person
  FROM (SELECT n, (n - random()) / %(messages)s AS u FROM generate_series(1, %(messages)s) AS n) AS s
), kind AS MATERIALIZED (
  SELECT *, r1 < 0.25 AS inbound, r1 >= 0.25 AND r1 < 0.70 AS campaigned, r1 >= 0.70 AND r1 < 0.88 AS notice,
    %(block)s * 12 + floor(12 * r2 ^ 1.5)::int AS campaign_n, 30 + floor(16 * r2 * r2)::int AS notice_n
  FROM made
)
INSERT INTO messaging_message (id, direction, number_id, peer, wamid, type, content, text, context_wamid, origin,
  status, at, created_at, updated_at, client_id, priority, due_at, releases, released_at, outcome_at, attempts, calls,
  error_code, error_title, reference, campaign, template, on_unknown, generation, priced_by, billable, pricing_model,
  pricing_type, pricing_category)
SELECT uuidv7(made_at - clock_timestamp()), CASE WHEN inbound THEN 'inbound' ELSE 'outbound' END,
  numbers.ids[1 + CASE WHEN campaigned THEN campaign_n WHEN notice THEN notice_n ELSE person END %% %(numbers)s],
  (%(prefixes)s::text[])[1 + (person * 2654435761 %% %(prefix_count)s)] || lpad((person %% 9999991)::text, 7, '0'),
  CASE WHEN NOT failed THEN 'wamid.A' || %(day)s || '.' || n END,
  CASE WHEN inbound
      THEN (ARRAY['text', 'text', 'text', 'text', 'image', 'audio', 'button', 'interactive'])[1 + floor(8 * r3)]
    WHEN campaigned OR notice THEN 'template' ELSE 'text' END,
  '{"content": "hello"}', 'Your order is on its way', '', CASE WHEN inbound THEN 'user' ELSE '' END,
  CASE WHEN inbound THEN 'received' WHEN failed THEN 'failed' WHEN r3 < 0.05 THEN 'accepted' WHEN r3 < 0.10 THEN 'sent'
    WHEN r3 < 0.42 THEN 'delivered' ELSE 'read' END,
  made_at, made_at, made_at,
  CASE WHEN campaigned THEN clients.ids[1 + campaign_n %% %(clients)s]
    WHEN NOT inbound THEN clients.ids[1 + notice_n %% %(clients)s] END,
  5, CASE WHEN NOT inbound THEN made_at END, 1, CASE WHEN NOT inbound THEN made_at END,
  CASE WHEN NOT inbound THEN made_at + interval '1 second' END, 1, 1,
  CASE WHEN failed THEN (ARRAY[131026, 131026, 131049, 131049, 131047, 130472, 131000, 132000, 470])[1 + floor(9 * r4)]
    END, '', '', CASE WHEN campaigned THEN 'campaign ' || campaign_n ELSE '' END,
  CASE WHEN campaigned THEN 'offer_' || campaign_n %% 30 WHEN notice THEN 'notice_' || notice_n ELSE '' END, 'wait', 0,
  CASE WHEN priced THEN 'sent' END, CASE WHEN priced THEN NOT free END, CASE WHEN priced THEN 'PMP' END,
  CASE WHEN priced THEN CASE WHEN free THEN 'free_customer_service' ELSE 'regular' END END,
  CASE WHEN priced THEN CASE WHEN campaigned THEN 'marketing' WHEN notice AND notice_n %% 4 = 0 THEN 'authentication'
    WHEN notice THEN 'utility' ELSE 'service' END END
FROM kind
CROSS JOIN LATERAL (SELECT NOT inbound AND r3 < 0.03 AS failed, NOT inbound AND r3 >= 0.05 AS priced,
  NOT campaigned AND (NOT notice OR r4 < 0.3) AS free) AS l
CROSS JOIN (SELECT array_agg(id ORDER BY id) AS ids FROM messaging_businessnumber) AS numbers
CROSS JOIN (
  SELECT array_agg(id ORDER BY id) AS ids FROM messaging_apiclient WHERE name LIKE 'bench client %%') AS clients
ORDER BY n
"""
# Delivered within seconds, or when the phone is on again; read within minutes, or days.
_TRAIL = """
INSERT INTO messaging_messageevent (message_id, status, at, source, applied, error_title, recorded_at)
SELECT m.id, s.status, m.at + CASE s.place
    WHEN 2 THEN interval '1 second' * (0.2 + random()) WHEN 3 THEN interval '1 second' * (1 + 2 * random())
    WHEN 4 THEN interval '1 second' * (2 + exp(random() * 9))
    WHEN 5 THEN interval '1 second' * (9000 + exp(random() * 11))
    ELSE interval '0' END,
  CASE WHEN s.place = 1 THEN 'api' WHEN s.place = 2 THEN 'worker' ELSE 'webhook' END, true, '', m.at
FROM messaging_message m
JOIN (VALUES (1, 'pending'), (2, 'accepted'), (3, 'sent'), (4, 'delivered'), (5, 'read')) AS s(place, status)
  ON s.place <= 1 + COALESCE(array_position(ARRAY['accepted', 'sent', 'delivered', 'read'], m.status::text), 0)
WHERE m.direction = 'outbound' AND m.id >= %(low)s AND m.id < %(high)s
"""


def fill(connect: Callable[[], Any], messages: int, days: int = DAYS) -> float:
    """Store `messages` messages over `days` days, the last one yesterday (UTC), unless these days are stored; returns
    the seconds that it took. Two days at a time. A run that was stopped continues with the days that are missing."""
    begun = time.monotonic()
    with closing(connect()) as connection, connection.cursor() as cursor:
        _prepare(cursor)
        starts = _days(cursor, days)
    filled = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        stored = pool.map(lambda day: _fill_day(connect, day, starts[day], messages // days), range(days))
        for done, new in enumerate(stored, 1):
            filled += new
            if new:
                seconds = time.monotonic() - begun
                print(f"{done} of {days} days of messages, {seconds:.0f} s", file=sys.stderr, flush=True)
    if filled:
        with closing(connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("VACUUM ANALYZE messaging_message, messaging_messageevent")
    return time.monotonic() - begun


def _fill_day(connect: Callable[[], Any], day: int, start: datetime, messages: int) -> bool:
    """A day in one transaction, on a connection of its own."""
    with closing(connect()) as connection:
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0; SET synchronous_commit = off; SET work_mem = '64MB'")
            new = _fill_span(cursor, day, start, DAY, messages)
        connection.commit()
    return new


def _prepare(cursor: Any) -> None:
    """The business numbers and clients whose messages these are."""
    cursor.execute(_NUMBERS, [NUMBERS])
    cursor.execute(_CLIENTS, [CLIENTS])


def _days(cursor: Any, days: int) -> list[datetime]:
    cursor.execute("SELECT date_trunc('day', now(), 'UTC')")
    ((today,),) = cursor.fetchall()
    return [today - DAY * (day + 1) for day in range(days)]


def fill_quarter(connect: Callable[[], Any], start: datetime, messages: int) -> int:
    """Store this many messages in one quarter of an hour; how many events their trail has."""
    connection = connect()
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        _prepare(cursor)
        _fill_span(cursor, 0, start, QUARTER, messages)
        # As autovacuum does within minutes: for tables that were empty until now, the planner knows no number of rows.
        cursor.execute("ANALYZE messaging_message, messaging_messageevent")
        span = [str(first_uuid7(start)), str(first_uuid7(start + QUARTER))]
        cursor.execute("SELECT count(*) FROM messaging_messageevent WHERE message_id >= %s AND message_id < %s", span)
        ((events,),) = cursor.fetchall()
    connection.close()
    return int(events)


def _fill_span(cursor: Any, day: int, start: datetime, length: timedelta, messages: int) -> bool:
    """Nothing where there are messages; whether there were none."""
    span = {"low": str(first_uuid7(start)), "high": str(first_uuid7(start + length))}
    cursor.execute("SELECT FROM messaging_message WHERE id >= %(low)s AND id < %(high)s LIMIT 1", span)
    if cursor.fetchall():
        return False
    cursor.execute("SELECT setseed(%s)", [day / 1000])
    cursor.execute(
        _MESSAGES,
        {
            "start": start,
            "length": length,
            "day": f"{start:%Y%m%d}",
            "block": day // 5,
            "messages": messages,
            "people": PEOPLE,
            "numbers": NUMBERS,
            "clients": CLIENTS,
            "prefixes": list(PREFIXES),
            "prefix_count": len(PREFIXES),
        },
    )
    cursor.execute(_TRAIL, span)
    return True
