"""The customer service window: free text reaches a user only within 24 hours of the user's last message.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import connection

from messaging.accepting.accept import TEMPLATE, NewMessage

WINDOW = timedelta(hours=24)
# Of some peers, since a time: what the system says of a user, such as a changed number, opens no window.
LAST_INBOUND = """
SELECT number_id, peer, max(at) AS at FROM messaging_message
WHERE peer = ANY(%(peers)s) AND at >= %(since)s AND direction = 'inbound' AND type <> 'system'
GROUP BY number_id, peer
"""

# When somebody last wrote, by the number's pk and the peer.
LastInbound = dict[tuple[int, str], datetime]


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


def closed_windows(new: Sequence[NewMessage], last: LastInbound, now: datetime) -> list[bool]:
    """For each message whether no window will be open when it is due; templates need none."""
    return [
        message.type != TEMPLATE
        and not is_open(last.get((message.number.pk, message.peer)), max(message.due_at or now, now))
        for message in new
    ]


def is_open(last: datetime | None, at: datetime) -> bool:
    """Whether the window of a user who wrote last at that time (None: never) is open at another."""
    return last is not None and at - last < WINDOW


def last_inbound(peers: Sequence[str], now: datetime) -> LastInbound:
    """When each of them last wrote to each number, within the window."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_INBOUND, {"peers": list(set(peers)), "since": now - WINDOW})
        return {(number_id, peer): at for number_id, peer, at in cursor.fetchall()}
