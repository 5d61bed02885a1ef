"""Retention of clients' events."""

from datetime import datetime

from django.db import connection

from messaging.retention import Rule, Step

ROWS = 500
# SQS keeps an event, and its dead letter, for 14 days: until then a repetition must find the stored one.
REPEATED_DAYS = 15


def delete_old_events(cutoff: datetime, position: str) -> Step:
    """Delete up to ROWS events that happened, and were stored, before the cutoff; and up to ROWS stored before it that
    lie in the future, because of a client's wrong clock. The ids do not hold the time.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM analytics_event WHERE id IN (
              (SELECT id FROM analytics_event WHERE occurred_at < %(cutoff)s AND stored_at < %(cutoff)s
               ORDER BY occurred_at, id LIMIT %(rows)s)
              UNION ALL
              (SELECT id FROM analytics_event WHERE occurred_at > statement_timestamp() AND stored_at < %(cutoff)s
               ORDER BY occurred_at, id LIMIT %(rows)s))
            """,
            {"cutoff": cutoff, "rows": ROWS},
        )
        return Step("", cursor.rowcount, cursor.rowcount < ROWS)


RULES = (Rule("events", "events of clients", "RETENTION_EVENTS_DAYS", REPEATED_DAYS, delete_old_events),)
