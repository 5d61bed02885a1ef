"""Read receipts and typing indicators, sent to the Cloud API.

It is done in the request, not on the outgoing lane: a typing indicator that comes late is of no use, a repetition
does no harm, and nothing that is sent depends on it.
"""

from functools import cache

from django.conf import settings

from messaging.models import Message
from messaging.whatsapp.client import CloudApi

# A web thread waits for Meta: not for as long as a worker would.
CONNECT_S, READ_S, TOTAL_S = 2.0, 3.0, 5.0
CALLS_AT_ONCE = 8


def mark_read(message: Message, typing: bool) -> None:
    """Marks an inbound message that has a wamid, and those before it. Raises WhatsAppError."""
    _api().mark_read(message.number.phone_number_id, message.wamid or "", typing)


@cache
def _api() -> CloudApi:
    """This process's own, made on first use and so after the fork."""
    return CloudApi(
        settings.WA_GRAPH_URL,
        settings.WA_GRAPH_VERSION,
        settings.WA_ACCESS_TOKEN,
        pool_size=CALLS_AT_ONCE,
        connect_timeout=CONNECT_S,
        read_timeout=READ_S,
        total_timeout=TOTAL_S,
    )
