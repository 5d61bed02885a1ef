"""Retention of subscriptions: old deliveries, deleted subscriptions."""

from datetime import timedelta

from django.db import connection

from messaging.subscriber_http.retry_schedule import State

RETENTION = {State.DELIVERED: timedelta(days=7), State.FAILED: timedelta(days=30)}
# More rows per minute than one subscription can get deliveries.
BATCH_ROWS, MAX_BATCHES = 5000, 10


def clean_up_deliveries() -> None:
    """Fail pending deliveries of inactive subscriptions; delete old deliveries and deleted subscriptions."""
    for statement, values in _STATEMENTS:
        for _ in range(MAX_BATCHES):
            with connection.cursor() as cursor:
                cursor.execute(statement, {**values, "most": BATCH_ROWS})
                if cursor.rowcount < BATCH_ROWS:
                    break


_STATEMENTS: tuple[tuple[str, dict[str, str | float]], ...] = (
    (
        """
        UPDATE messaging_delivery SET state = 'failed', finished_at = statement_timestamp(), lease_until = NULL,
          error = 'The subscription is inactive.'
        WHERE id IN (
          SELECT d.id FROM messaging_subscription s LEFT JOIN messaging_apiclient c ON c.id = s.client_id
          JOIN messaging_delivery d ON d.subscription_id = s.id AND d.finished_at IS NULL
          WHERE (NOT s.active OR c.active IS FALSE) AND s.deleted_at IS NULL
            AND (d.lease_until IS NULL OR d.lease_until <= statement_timestamp()) LIMIT %(most)s)
        """,
        {},
    ),
    *(
        (
            """
            DELETE FROM messaging_delivery WHERE id IN (
              SELECT id FROM messaging_delivery WHERE state = %(state)s
                AND finished_at < statement_timestamp() - interval '1 second' * %(kept_s)s
              ORDER BY finished_at LIMIT %(most)s)
            """,
            {"state": state.value, "kept_s": kept.total_seconds()},
        )
        for state, kept in RETENTION.items()
    ),
    (
        """
        DELETE FROM messaging_delivery WHERE id IN (
          SELECT d.id FROM messaging_subscription s JOIN messaging_delivery d ON d.subscription_id = s.id
          WHERE s.deleted_at IS NOT NULL LIMIT %(most)s)
        """,
        {},
    ),
    (
        """
        DELETE FROM messaging_subscription s WHERE deleted_at < statement_timestamp() - interval '5 minutes'
          AND NOT EXISTS (SELECT FROM messaging_delivery d WHERE d.subscription_id = s.id)
        """,
        {},
    ),
)
