"""The sweep: marks the quarters of an hour of new rows in messaging's trail as dirty.

It reads the trail by id and misses no row, however late its transaction commits: it reads up to an id only when every
transaction that may still add a row below it has ended.

1. A sweep notes the highest id that it sees. The sequence counts up, so a transaction with a lower id has begun.
2. The next sweep, some seconds later, notes the first transaction that has not begun: by now every transaction that had
   an id in step 1 has a transaction number, and it is lower.
3. As soon as no transaction below that number runs any more, the rows up to the id are complete and are read.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from analytics.models import Cursor
from analytics.rollups import contact_addresses
from analytics.rollups.quarters import QUARTER_OF_ID

CURSOR = "rollups"
ROWS = 20_000
# A statement that has an id has its transaction's number within this time.
SEEN_FOR = timedelta(seconds=2)

# A message's quarter is that of its id. What a user writes may answer messages of the day before, and what we send may
# respond to them: their quarters change too.
_MARK = f"""
WITH fresh AS (
  SELECT message_id, status FROM messaging_messageevent WHERE id > %(after)s AND id <= %(upto)s
), talk AS (
  SELECT m.peer, m.number_id, min(m.at) - interval '24 hours 1 second' AS low, max(m.at) + interval '24 hours' AS high
  FROM messaging_message m
  WHERE m.id IN (SELECT message_id FROM fresh WHERE status IN ('received', 'accepted', 'sent', 'delivered', 'read'))
  GROUP BY m.peer, m.number_id
), touched AS (
  SELECT message_id AS id FROM fresh
  UNION
  SELECT n.id FROM talk t JOIN messaging_message n ON n.peer = t.peer AND n.at >= t.low AND n.at <= t.high
    AND n.number_id = t.number_id
  UNION
  SELECT n.id FROM talk t CROSS JOIN LATERAL ({contact_addresses.other_address("t.peer")}) other
    JOIN messaging_message n ON n.peer = other.peer AND n.at >= t.low AND n.at <= t.high AND n.number_id = t.number_id
  WHERE {contact_addresses.ANY_USER_ID}
)
INSERT INTO analytics_bucket (start, dirty_since, due_at, took_ms, messages)
SELECT DISTINCT
  {QUARTER_OF_ID},
  statement_timestamp(), statement_timestamp(), 0, 0
FROM touched
ORDER BY 1
ON CONFLICT (start) DO UPDATE SET dirty_since = EXCLUDED.dirty_since WHERE analytics_bucket.dirty_since IS NULL
"""  # noqa: S608 - constants of ours


# How long the oldest unread row has waited since the sweep last read any.
_STANDSTILL = """
SELECT GREATEST(0, extract(epoch FROM statement_timestamp() - GREATEST(c.moved_at, e.recorded_at)))::float8
FROM analytics_cursor c CROSS JOIN LATERAL (
  SELECT recorded_at FROM messaging_messageevent WHERE id > c.position ORDER BY id LIMIT 1) e
WHERE c.name = %s
"""


@dataclass(frozen=True, slots=True)
class Swept:
    """Rows of the trail that one step read, and whether there are more that it may read at once."""

    rows: int
    more: bool


def sweep() -> Swept:
    """Read the next rows of the trail and mark their quarters. Of several workers one reads."""
    Cursor.objects.get_or_create(name=CURSOR)
    with transaction.atomic():
        cursor = Cursor.objects.select_for_update(skip_locked=True).filter(name=CURSOR).first()
        if cursor is None:
            return Swept(0, more=False)
        with connection.cursor() as statements:
            _settle(cursor, statements)
            upto, more = _upto(cursor, statements)
            rows = 0
            if upto is not None:
                statements.execute(_MARK, {"after": cursor.position, "upto": upto})
                rows, cursor.position, cursor.moved_at = upto - cursor.position, upto, timezone.now()
                if cursor.mark_id == upto:
                    cursor.mark_id = cursor.mark_xid = None
        cursor.save()
        return Swept(rows, more)


def sweep_standstill_s() -> float:
    """Seconds for which the sweep has read nothing although there is something to read; 0 while there is nothing."""
    with connection.cursor() as statements:
        statements.execute(_STANDSTILL, [CURSOR])
        row = statements.fetchone()
    return float(row[0]) if row else 0.0


def _settle(cursor: Cursor, statements: Any) -> None:
    """Steps 1 and 2."""
    statements.execute(
        "SELECT max(id), pg_snapshot_xmax(pg_current_snapshot())::text::bigint FROM messaging_messageevent"
    )
    highest, first_not_begun = statements.fetchone()
    now = timezone.now()
    if cursor.seen_at is not None and cursor.seen_at > now - SEEN_FOR:
        return
    if cursor.mark_id is None and cursor.seen_id is not None and cursor.seen_id > cursor.position:
        cursor.mark_id, cursor.mark_xid = cursor.seen_id, first_not_begun
    cursor.seen_id, cursor.seen_at = highest, now


def _upto(cursor: Cursor, statements: Any) -> tuple[int | None, bool]:
    """Up to which id to read now, and whether the mark lies beyond it; None while it is not settled."""
    if cursor.mark_id is None:
        return None, False
    # A snapshot's list of running transactions leaves out one's own.
    statements.execute(
        "SELECT count(*) FROM pg_snapshot_xip(pg_current_snapshot()) AS xid WHERE xid::text::bigint < %s",
        [cursor.mark_xid],
    )
    if statements.fetchone()[0]:
        return None, False
    statements.execute(
        "SELECT max(id) FROM (SELECT id FROM messaging_messageevent WHERE id > %s AND id <= %s ORDER BY id LIMIT %s) e",
        [cursor.position, cursor.mark_id, ROWS],
    )
    (last,) = statements.fetchone()
    statements.execute(
        "SELECT count(*) FROM (SELECT FROM messaging_messageevent WHERE id > %s AND id <= %s LIMIT %s) e",
        [cursor.position, cursor.mark_id, ROWS + 1],
    )
    (count,) = statements.fetchone()
    return (cursor.mark_id, False) if count <= ROWS else (last, True)
