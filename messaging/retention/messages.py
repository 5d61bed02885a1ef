"""Old messages: first their texts go, then the messages themselves with their timeline, attempts and files.

A message whose outcome is still to come is never touched. It is deleted by the next full pass after its outcome
(`deletion_steps.FULL_PASS_EVERY`).
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from messaging.identifiers import first_uuid7
from messaging.media import REMOVE_FILES
from messaging.retention.rules import Step

# Nearly every message has its outcome within an hour: a later step looks at those of the last hour.
OUTCOME_MARGIN = timedelta(hours=1)
ROWS = 40
# What is over: an inbound message, or an outbound one whose outcome is older than the cutoff and final.
_IS_OVER = """
  m.at < %(cutoff)s AND (m.direction = 'inbound' OR (
    m.outcome_at < %(cutoff)s AND m.status NOT IN ('pending', 'queued', 'sending', 'unknown')))
"""
_WINDOW = """
WITH seen AS MATERIALIZED (
  SELECT id FROM messaging_message WHERE id > %(position)s AND id < %(end)s ORDER BY id LIMIT %(rows)s),
"""
_SEEN = "(SELECT id FROM seen ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM seen)"

_EMPTY = f"""
{_WINDOW}
chosen AS MATERIALIZED (
  SELECT m.id FROM messaging_message m JOIN seen USING (id)
  WHERE m.content_deleted_at IS NULL AND {_IS_OVER} ORDER BY m.id FOR NO KEY UPDATE OF m SKIP LOCKED),
emptied AS (
  UPDATE messaging_message m SET content = '{{}}', text = '', raw = NULL, content_deleted_at = statement_timestamp()
  FROM chosen WHERE m.id = chosen.id RETURNING 1)
SELECT {_SEEN}, (SELECT count(*) FROM emptied)
"""  # noqa: S608 - constants

_DELETE = f"""
{_WINDOW}
chosen AS MATERIALIZED (
  SELECT m.id FROM messaging_message m JOIN seen USING (id)
  WHERE {_IS_OVER} ORDER BY m.id FOR UPDATE OF m SKIP LOCKED),
files AS ({REMOVE_FILES}),
media AS (DELETE FROM messaging_media f USING chosen WHERE f.message_id = chosen.id),
attempts AS (DELETE FROM messaging_attempt a USING chosen WHERE a.message_id = chosen.id),
events AS (DELETE FROM messaging_messageevent e USING chosen WHERE e.message_id = chosen.id),
gone AS (DELETE FROM messaging_message m USING chosen WHERE m.id = chosen.id RETURNING 1)
SELECT {_SEEN}, (SELECT count(*) FROM gone)
"""  # noqa: S608 - constants


def empty_old_messages(cutoff: datetime, position: str) -> Step:
    """Delete the texts, contents and raw pieces of up to ROWS messages; numbers, times and statuses stay."""
    return _step(_EMPTY, cutoff, position)


def delete_old_messages(cutoff: datetime, position: str) -> Step:
    """Delete up to ROWS messages with all that belongs to them; their files are removed by `deliver`."""
    return _step(_DELETE, cutoff, position)


def _step(statement: str, cutoff: datetime, position: str) -> Step:
    values: dict[str, Any] = {
        "cutoff": cutoff,
        "position": UUID(position) if position else UUID(int=0),
        "end": first_uuid7(cutoff - OUTCOME_MARGIN),
        "rows": ROWS,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        last, seen, removed = cursor.fetchone()
    return Step(str(last) if last else position, removed, seen < ROWS)
