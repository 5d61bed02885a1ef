"""Duplicate sends: messages that Meta accepted twice after a resend decided on evidence."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from messaging.lifecycle.operator_alerts import alert
from messaging.models import Message


def mark_doubled(pairs: Iterable[tuple[UUID, str, str]]) -> None:
    """Note, once each, the messages that two wamids stand for, none of which failed. Tells an operator."""
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
        doubled = [message_id for (message_id,) in cursor.fetchall()]
    for message_id in doubled:
        alert("doubled", message_id, "Meta took this message twice")


def doubled() -> QuerySet[Message]:
    """The messages that Meta took twice, as far as anybody can tell."""
    return Message.objects.filter(doubled_at__isnull=False)
