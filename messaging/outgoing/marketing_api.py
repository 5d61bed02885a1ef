"""Sends by the Marketing Messages API, and by the Cloud API where Meta does not take them there.

The refusal says that nothing was sent, so the second call does not send a second message. It is remembered for a while:
by template, or for the whole number where Meta says that the API is not open to the account.
"""

import logging
import threading
import time
from collections.abc import Mapping

from messaging.outgoing.claims import Claimed
from messaging.whatsapp.client import Accepted, CloudApi
from messaging.whatsapp.error_codes import NOT_FOR_MARKETING_API
from messaging.whatsapp.errors import WhatsAppError

logger = logging.getLogger(__name__)

REMEMBERED_S = 3600.0
NOT_OPEN_TO_ACCOUNT = 134102


class MarketingApi:
    """The choice of API, from the refusals that this process has seen; thread-safe."""

    def __init__(self) -> None:
        # When to try again, by number and template; an empty template stands for all.
        self._refused: dict[tuple[int, str], float] = {}
        self._lock = threading.Lock()

    def takes(self, claimed: Claimed) -> bool:
        """Whether to send this message by the Marketing Messages API."""
        if not claimed.by_marketing_api:
            return False
        keys = (claimed.number_id, ""), (claimed.number_id, claimed.template)
        return all(self._refused.get(key, 0.0) <= time.monotonic() for key in keys)

    def send(self, api: CloudApi, claimed: Claimed, body: Mapping[str, object]) -> Accepted | None:
        """Send it by that API; None if Meta does not accept it there. Raises as CloudApi.send for everything else."""
        try:
            return api.send(claimed.phone_number_id, body, marketing=True)
        except WhatsAppError as error:
            if error.code not in NOT_FOR_MARKETING_API:
                raise
            code = error.code
        key = claimed.number_id, "" if code == NOT_OPEN_TO_ACCOUNT else claimed.template
        with self._lock:
            self._refused[key] = time.monotonic() + REMEMBERED_S
        logger.warning(
            "the Marketing Messages API refuses with %s: its messages go by the Cloud API for an hour",
            code,
            extra={"number": claimed.number_id},
        )
        return None
