"""Read receipts, with or without a typing indicator, sent to the Cloud API.

The call is made in the request, not on the outgoing lane: a late typing indicator is useless, a repeated call is
harmless, and no send depends on it.
"""

from functools import cache

from django.conf import settings

from messaging.accounts import MissingToken, access_token, missing_token, token_name_of
from messaging.models import Message
from messaging.whatsapp.client import CloudApi

# A web thread waits for the answer, so the timeouts are shorter than a worker's.
CONNECT_S, READ_S, TOTAL_S = 2.0, 3.0, 5.0
CALLS_AT_ONCE = 8


def mark_read(message: Message, typing: bool) -> None:
    """Mark an inbound message, which must have a wamid, and all before it as read. Raises WhatsAppError."""
    try:
        api = _api(token_name_of(message.number.waba_id))
    except MissingToken as error:
        raise missing_token(error) from None
    api.mark_read(message.number.phone_number_id, message.wamid or "", typing)


@cache
def _api(token_name: str) -> CloudApi:
    """The client of this process with this token, created on first use, after the fork."""
    return CloudApi(
        settings.WA_GRAPH_URL,
        settings.WA_GRAPH_VERSION,
        access_token(token_name),
        pool_size=CALLS_AT_ONCE,
        connect_timeout=CONNECT_S,
        read_timeout=READ_S,
        total_timeout=TOTAL_S,
    )
