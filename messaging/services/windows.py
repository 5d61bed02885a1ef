"""The customer service window: free text reaches a user only within 24 hours of the user's last message.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import connection
from django.utils import timezone

from messaging.identifiers import first_uuid7
from messaging.services.acceptance import TEMPLATE, NewMessage

WINDOW = timedelta(hours=24)
# Meta's clock, which dates what users write, and ours, which is in the ids, are not the same.
CLOCKS_APART = timedelta(minutes=5)
OPENS_NO_WINDOW = "system"


class WindowPolicy(StrEnum):
    """What becomes of a message for which no window is open (WA_WINDOW_POLICY)."""

    OFF = "off"
    WARN = "warn"
    REJECT = "reject"


class WindowClosed(ValueError):
    """Meta would refuse the message (131047) for what is known of the contact."""

    def __str__(self) -> str:
        return "The contact has not written to this number within 24 hours: WhatsApp takes only templates."


def window_policy() -> WindowPolicy:
    """As set."""
    return WindowPolicy(settings.WA_WINDOW_POLICY)


def outside_window(new: Sequence[NewMessage]) -> list[bool]:
    """For each message whether no window will be open when it is due, in one query for all.

    Templates need none. What a user wrote and the incoming lane has not stored yet is not known here.
    """
    free = [message for message in new if message.type != TEMPLATE]
    now = timezone.now()
    last = _last_inbound(free, now) if free else {}
    return [
        message.type != TEMPLATE
        and not _is_open(last.get((message.number.pk, message.peer)), max(message.due_at or now, now))
        for message in new
    ]


def _is_open(last_inbound: datetime | None, due_at: datetime) -> bool:
    return last_inbound is not None and due_at - last_inbound < WINDOW


def _last_inbound(messages: Sequence[NewMessage], now: datetime) -> dict[tuple[int, str], datetime]:
    """When each contact last wrote to each number, within the window."""
    with connection.cursor() as cursor:
        # The bound on the id keeps the index of peers from walking through years of a busy conversation.
        cursor.execute(
            """
            SELECT number_id, peer, max(at) FROM messaging_message
            WHERE peer = ANY(%s) AND id >= %s AND direction = 'inbound' AND type <> %s
            GROUP BY number_id, peer
            """,
            [list({m.peer for m in messages}), first_uuid7(now - WINDOW - CLOCKS_APART), OPENS_NO_WINDOW],
        )
        return {(number_id, peer): at for number_id, peer, at in cursor.fetchall()}
