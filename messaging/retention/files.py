"""Old files: their records are emptied in the transaction of a step, and `deliver` removes the files themselves.

The table FileRemoval is the outbox between both: a killed process forgets no file.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from messaging.identifiers import ID_SLACK_MS, first_uuid7
from messaging.media import storage
from messaging.media_states import State
from messaging.models import FileRemoval
from messaging.retention.rules import Step

logger = logging.getLogger(__name__)

ROWS = 200
# A removal that fails is tried again after a minute, two, three, …, at most an hour.
RETRY_S, MAX_RETRY_S = 60, 3600

_EMPTY = """
WITH seen AS MATERIALIZED (
  SELECT message_id, finished_at < %(cutoff)s AS is_old FROM messaging_media
  WHERE message_id > %(position)s AND message_id < %(end)s AND created_at < %(cutoff)s
  ORDER BY message_id LIMIT %(rows)s),
chosen AS MATERIALIZED (
  SELECT m.message_id, m.name FROM messaging_media m JOIN seen USING (message_id)
  WHERE seen.is_old AND m.state = 'stored' ORDER BY m.message_id FOR UPDATE OF m SKIP LOCKED),
files AS (
  INSERT INTO messaging_fileremoval (name, due_at, attempts)
  SELECT name, statement_timestamp(), 0 FROM chosen WHERE name <> '' ON CONFLICT DO NOTHING),
emptied AS (
  UPDATE messaging_media m SET state = %(deleted)s, name = '', filename = '', sha256 = '', digest = '', error = ''
  FROM chosen WHERE m.message_id = chosen.message_id RETURNING 1)
SELECT (SELECT message_id FROM seen ORDER BY message_id DESC LIMIT 1), (SELECT count(*) FROM seen),
  (SELECT count(*) FROM emptied)
"""


def delete_old_files(cutoff: datetime, position: str) -> Step:
    """Delete up to ROWS stored files; kind, size and type stay."""
    values: dict[str, Any] = {
        "cutoff": cutoff,
        "position": UUID(position) if position else UUID(int=0),
        # A file is stored with its message or after it. Without this end a pass reads all files that are not old.
        "end": first_uuid7(cutoff, ID_SLACK_MS),
        "rows": ROWS,
        "deleted": State.DELETED.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY, values)
        last, seen, removed = cursor.fetchone()
    return Step(str(last) if last else position, removed, seen < ROWS)


@dataclass(frozen=True, slots=True)
class Removal:
    """A file that this process removes."""

    name: str


@dataclass(frozen=True, slots=True)
class Removed:
    """Whether it is gone."""

    name: str
    is_gone: bool


def claim_removals(most: int) -> list[Removal]:
    """Claim up to `most` files; another process claims them again after the retry wait."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH due AS MATERIALIZED (
              SELECT name FROM messaging_fileremoval WHERE due_at <= statement_timestamp()
              ORDER BY due_at LIMIT %(most)s FOR UPDATE SKIP LOCKED)
            UPDATE messaging_fileremoval f SET attempts = least(attempts + 1, 32767),
              due_at = statement_timestamp() + interval '1 second' * least(%(retry_s)s * (attempts + 1), %(longest_s)s)
            FROM due WHERE f.name = due.name RETURNING f.name
            """,
            {"retry_s": RETRY_S, "longest_s": MAX_RETRY_S, "most": most},
        )
        return [Removal(name) for (name,) in cursor.fetchall()]


def remove(removal: Removal) -> Removed:
    """Remove one file from the storage. A missing file counts as removed."""
    try:
        storage().delete(removal.name)
    except Exception as error:  # storage back ends raise errors of any type
        logger.warning("a file could not be removed from the storage: %s", type(error).__name__)
        return Removed(removal.name, False)
    return Removed(removal.name, True)


def record_removals(results: Sequence[Removed]) -> None:
    """Forget the files that are gone."""
    FileRemoval.objects.filter(name__in=[one.name for one in results if one.is_gone]).delete()
