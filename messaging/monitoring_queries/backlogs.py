"""Held templates, disabled subscriptions, deliveries and inbound files."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from messaging.media_states import RETRY_PERIOD
from messaging.monitoring_queries.messages import COUNT_LIMIT

# A file is late after this time; files of imported history may take longer.
FILE_LATE_AFTER = timedelta(hours=1)
# At most this many names are listed, each cut to NAME_LENGTH characters.
NAMES_LIMIT, NAME_LENGTH = 100, 100


@dataclass(frozen=True, slots=True)
class InboundFiles:
    """Inbound files: waiting, of these late by an hour, and failed in the last 24 hours."""

    waiting: int
    late: int
    failed: int


def held_templates() -> list[str]:
    """The names of templates that Meta paused and that are held."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT left(key, %s) FROM messaging_hold"
            " WHERE kind = 'template' AND by IN ('system', 'meta') AND key <> '' AND resumed_at IS NULL LIMIT %s",
            [NAME_LENGTH, NAMES_LIMIT],
        )
        return [name for (name,) in cursor.fetchall()]


def disabled_subscriptions() -> list[str]:
    """The descriptions, or ids, of subscriptions that were disabled after failures."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT left(coalesce(nullif(description, ''), id::text), %s) FROM messaging_subscription
            WHERE disabled_at IS NOT NULL AND NOT active AND deleted_at IS NULL LIMIT %s
            """,
            [NAME_LENGTH, NAMES_LIMIT],
        )
        return [name for (name,) in cursor.fetchall()]


def waiting_deliveries() -> int:
    """Deliveries that are not finished, up to COUNT_LIMIT."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT FROM messaging_delivery WHERE finished_at IS NULL LIMIT %s) waiting",
            [COUNT_LIMIT],
        )
        return int(cursor.fetchone()[0])


def inbound_files() -> InboundFiles:
    """Inbound files that are not stored."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), count(*) FILTER (WHERE rank = 0 AND give_up_at < %(late)s), (
              SELECT count(*) FROM messaging_media
              WHERE finished_at > statement_timestamp() - interval '24 hours' AND state <> 'stored'
                AND state <> 'deleted')
            FROM (SELECT rank, give_up_at FROM messaging_media WHERE finished_at IS NULL LIMIT %(limit)s) waiting
            """,
            {"limit": COUNT_LIMIT, "late": timezone.now() + RETRY_PERIOD - FILE_LATE_AFTER},
        )
        return InboundFiles(*cursor.fetchone())
