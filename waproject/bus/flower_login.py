"""Throttling of wrong log-ins to Flower: a few per window for each address, and for all addresses together.

Flower is one process, so the counts are in its memory. Its event loop checks one request at a time.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

logger = logging.getLogger(__name__)

# The same window and limits as those of the admin (messaging/access/login_throttle.py), one account in all.
WINDOW_S = 15 * 60
TRIES_OF_AN_ADDRESS = 5
TRIES_OF_ALL = 50
ALL = ""


class Throttle:
    """Wrong tries by address within a window that starts with the first of them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: dict[str, tuple[int, float]] = {}

    def locked_for(self, address: str) -> int:
        """Seconds until the next try of an address is checked; 0 if it may try."""
        now = self._clock()
        self._tries = {key: (n, since) for key, (n, since) in self._tries.items() if now - since < WINDOW_S}
        waits = [
            WINDOW_S - (now - self._tries[key][1])
            for key, limit in ((address, TRIES_OF_AN_ADDRESS), (ALL, TRIES_OF_ALL))
            if key in self._tries and self._tries[key][0] >= limit
        ]
        return int(max(waits, default=-1)) + 1

    def wrong(self, address: str) -> None:
        """Count a wrong try."""
        for key, limit in ((address, TRIES_OF_AN_ADDRESS), (ALL, TRIES_OF_ALL)):
            tries, since = self._tries.get(key, (0, self._clock()))
            self._tries[key] = (tries + 1, since)
            if tries + 1 == limit:
                logger.warning(
                    "Flower log-ins locked for %d minutes: %d wrong tries of %s",
                    WINDOW_S // 60, limit, key or "all addresses together",
                )  # fmt: skip

    def right(self, address: str) -> None:
        """Forget the wrong tries of an address that logged in."""
        self._tries.pop(address, None)


def throttled(get_current_user: Callable[[Any], Any], throttle: Throttle) -> Callable[[Any], Any]:
    """Flower's check of the log-in, which answers 429 without a look at the password while an address is locked."""
    from tornado.web import Finish, HTTPError

    def checked(handler: Any) -> Any:
        if "Authorization" not in handler.request.headers:
            return get_current_user(handler)
        address = str(handler.request.remote_ip)
        if seconds := throttle.locked_for(address):
            # Tornado drops the headers of an answer that ends with HTTPError.
            handler.set_status(429, "Too many wrong log-ins")
            handler.set_header("Retry-After", str(seconds))
            handler.finish(f"Too many wrong log-ins: try again in {seconds} seconds.\n")
            raise Finish
        try:
            user = get_current_user(handler)
        except HTTPError as error:
            if error.status_code == 401:  # noqa: PLR2004
                throttle.wrong(address)
            raise
        throttle.right(address)
        return user

    return checked
