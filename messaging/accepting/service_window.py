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
# The last inbound message of each peer since a time. System messages (such as a changed number) do not open the window.
# A timestamp in the future counts as the time at which we stored the message, so that it does not hold the window open.
LAST_INBOUND = """
SELECT number_id, peer, max(least(at, created_at)) AS at FROM messaging_message
WHERE peer = ANY(%(peers)s) AND at >= %(since)s AND direction = 'inbound' AND type <> 'system'
GROUP BY number_id, peer
"""

# The same by the other id of each user: a peer that is a user id may have written with the number, and vice versa.
# `peer` is the given id.
LAST_INBOUND_BY_OTHER_ID = """
SELECT m.number_id, ids.peer, max(least(m.at, m.created_at)) AS at
FROM messaging_contact c
CROSS JOIN LATERAL (VALUES (c.phone_key, c.user_id), (c.user_id, c.phone_key)) AS ids (peer, other)
JOIN messaging_message m ON m.peer = ids.other AND m.at >= %(since)s
  AND m.direction = 'inbound' AND m.type <> 'system'
WHERE (c.phone_key = ANY(%(peers)s) OR c.user_id = ANY(%(peers)s)) AND ids.peer = ANY(%(peers)s)
GROUP BY m.number_id, ids.peer
"""

# The time of each user's last message, by the business number's pk and the peer in canonical form.
LastInbound = dict[tuple[int, str], datetime]


class WindowPolicy(StrEnum):
    """How sends outside the window are treated (WA_WINDOW_POLICY)."""

    OFF = "off"
    WARN = "warn"
    REJECT = "reject"


class WindowClosed(ValueError):
    """The window is closed as far as we know: Meta would refuse the message (131047)."""

    def __str__(self) -> str:
        return "The contact has not written to this number within 24 hours: WhatsApp takes only templates."


def window_policy() -> WindowPolicy:
    """The configured policy."""
    return WindowPolicy(settings.WA_WINDOW_POLICY)


def window_closes(message: NewMessage, last: LastInbound, now: datetime) -> bool:
    """Whether the window will be closed when the message is due. Templates need no window."""
    last_at = last.get((message.number.pk, canonical(message.peer)))
    return message.type != TEMPLATE and not is_open(last_at, max(message.due_at or now, now))


def is_open(last: datetime | None, at: datetime) -> bool:
    """Whether the window is open at `at`; `last` is the time of the user's last message (None: never)."""
    return last is not None and at - last < WINDOW


def last_inbound(peers: Sequence[str], now: datetime) -> LastInbound:
    """The last message of each peer to each business number within the window, in any spelling of the peer."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_INBOUND, {"peers": all_spellings(peers), "since": now - WINDOW})
        return latest(cursor.fetchall())


def all_spellings(peers: Iterable[str]) -> list[str]:
    """Every spelling of these peers, as `Message.peer` may hold it."""
    return list({spelling for peer in peers for spelling in spellings(peer)})


def latest(rows: Iterable[tuple[int, str, datetime]]) -> LastInbound:
    """Merge the rows of LAST_INBOUND that differ only in the spelling of a number."""
    last: LastInbound = {}
    for number_id, peer, at in rows:
        key = number_id, canonical(peer)
        last[key] = max(at, last.get(key, at))
    return last
