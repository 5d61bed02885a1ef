"""What a recipient has said, where it decides whether a message may go: blocked, opted out, wrote within 24 hours."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from messaging.services.acceptance import TEMPLATE, NewMessage
from messaging.services.consent import Stops, refusals
from messaging.services.windows import LAST_INBOUND, WINDOW, LastInbound, closed_windows
from messaging.whatsapp.recipients import canonical

# Every request that sends asks this, so it is one round trip, and SQL: the ORM took longer to build its first half than
# PostgreSQL to answer both. A row is of a contact who said stop (no number), or of a conversation's last message.
_ASK = f"""
SELECT NULL, portfolio, phone_key, user_id, blocked_at IS NOT NULL, NULL FROM messaging_contact
WHERE (phone_key = ANY(%(keys)s) OR user_id = ANY(%(keys)s)) AND (blocked_at IS NOT NULL OR opted_out_at IS NOT NULL)
UNION ALL
SELECT number_id, NULL, peer, NULL, NULL, at FROM ({LAST_INBOUND}) AS wrote
"""  # noqa: S608 - constants of this project


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one message: why its contact must not get it (empty: may), and whether no window will be open for it."""

    refusal: str
    window_closed: bool


def standings(new: Sequence[NewMessage], *, windows: bool) -> list[Standing]:
    """Each message's, in one query where nobody has said stop; `windows` False: none is asked for, none is closed.

    What a user wrote and the incoming lane has not stored yet is not known here.
    """
    stops: Stops = {}
    last: LastInbound = {}
    now = timezone.now()
    asked: dict[str, Any] = {
        "keys": list({canonical(message.peer) for message in new}),
        "peers": list({message.peer for message in new if windows and message.type != TEMPLATE}),
        "since": now - WINDOW,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ASK, asked)
        for number_id, portfolio, name, other_name, is_blocked, at in cursor.fetchall():
            if number_id is None:
                stops |= {(portfolio, key): is_blocked for key in (name, other_name) if key}
            else:
                last[number_id, name] = at
    closed = closed_windows(new, last, now) if windows else [False] * len(new)
    return [Standing(*found) for found in zip(refusals(new, stops), closed, strict=True)]
