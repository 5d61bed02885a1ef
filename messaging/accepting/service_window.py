"""The customer service window: free text reaches a user only within 24 hours of the user's last message.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import connection

from messaging.accepting.accept import TEMPLATE, NewMessage
from messaging.whatsapp.recipients import canonical, spellings

WINDOW = timedelta(hours=24)
# Of some peers, since a time. What the system says of a user, such as a changed number, opens no window; a time in the
# future counts as the time at which we stored the message, so that it does not hold the window open.
LAST_INBOUND = """
SELECT number_id, peer, max(least(at, created_at)) AS at FROM messaging_message
WHERE peer = ANY(%(peers)s) AND at >= %(since)s AND direction = 'inbound' AND type <> 'system'
GROUP BY number_id, peer
"""

# When each user last wrote, by the business number's pk and the peer in canonical form.
LastInbound = dict[tuple[int, str], datetime]


class WindowPolicy(StrEnum):
    """The treatment of a message outside the window (WA_WINDOW_POLICY)."""

    OFF = "off"
    WARN = "warn"
    REJECT = "reject"


class WindowClosed(ValueError):
    """The message is outside the window, as far as we know: Meta would refuse it (131047)."""

    def __str__(self) -> str:
        return "The contact has not written to this number within 24 hours: WhatsApp takes only templates."


def window_policy() -> WindowPolicy:
    """The configured policy."""
    return WindowPolicy(settings.WA_WINDOW_POLICY)


def closed_windows(new: Sequence[NewMessage], last: LastInbound, now: datetime) -> list[bool]:
    """For each message, whether the window will be closed when it is due; templates need none."""
    return [
        message.type != TEMPLATE
        and not is_open(last.get((message.number.pk, canonical(message.peer))), max(message.due_at or now, now))
        for message in new
    ]


def is_open(last: datetime | None, at: datetime) -> bool:
    """Whether the window of a user who wrote last at that time (None: never) is open at another."""
    return last is not None and at - last < WINDOW


def last_inbound(peers: Sequence[str], now: datetime) -> LastInbound:
    """When each peer last wrote to each business number, within the window, in any spelling."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_INBOUND, {"peers": all_spellings(peers), "since": now - WINDOW})
        return latest(cursor.fetchall())


def all_spellings(peers: Iterable[str]) -> list[str]:
    """What `Message.peer` may hold for these."""
    return list({spelling for peer in peers for spelling in spellings(peer)})


def latest(rows: Iterable[tuple[int, str, datetime]]) -> LastInbound:
    """The rows of LAST_INBOUND, one for each person."""
    last: LastInbound = {}
    for number_id, peer, at in rows:
        key = number_id, canonical(peer)
        last[key] = max(at, last.get(key, at))
    return last
