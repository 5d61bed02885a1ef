"""Duplicate sends: messages that Meta accepted twice after a resend decided on evidence."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection

from messaging.lifecycle.operator_alerts import alert


def mark_duplicate_sends(pairs: Iterable[tuple[UUID, str, str]]) -> None:
    """Mark messages that have two wamids, neither of which failed; alert an operator once for each."""
    ids, first, second = zip(*sorted(pairs), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE messaging_message m SET doubled_at = statement_timestamp()
            FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS g(id, first, second)
            WHERE m.id = g.id AND m.doubled_at IS NULL AND NOT EXISTS (
              SELECT 1 FROM messaging_messageevent e
              WHERE e.message_id = m.id AND e.key IN (g.first || ':failed', g.second || ':failed'))
            RETURNING m.id
            """,
            [list(ids), list(first), list(second)],
        )
        marked = [message_id for (message_id,) in cursor.fetchall()]
    for message_id in marked:
        alert("doubled", message_id, "Meta accepted this message twice")
