"""One POST to a subscriber endpoint, and its answer or error in words."""

import email.utils
import http.client
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, cast

import requests
import urllib3
import urllib3.exceptions

from messaging.subscriber_http.ssrf_guard import NotAllowed, Reach, Unreachable, open_socket
from messaging.whatsapp import connections

CONNECT_TIMEOUT_S = 5.0
TOTAL_TIMEOUT_S = 15.0
# An answer's body is read so far, for the connection to be used again, and thrown away.
MAX_ANSWER = 64 * 1024
# Endpoints whose connections are kept, for some seconds.
HOSTS = 64
_FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request: an HTTP status, or None and what went wrong. `error` is empty for a 2xx."""

    status: int | None
    duration_ms: int
    error: str = ""
    # What the endpoint asked for in Retry-After, in seconds from now.
    retry_after_s: float | None = None

    @property
    def is_success(self) -> bool:
        """Whether it was taken."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - the class of HTTP statuses

    @property
    def is_gone(self) -> bool:
        """Whether the endpoint wants no more of them (410)."""
        return self.status == http.HTTPStatus.GONE


class _Reached(threading.local):
    """Where the request of this thread may go."""

    reach: Reach = Reach()


_reached = _Reached()


class _GuardedHTTP(connections.WatchedHTTP):
    def _new_conn(self) -> Any:
        return _connect(self)


class _GuardedHTTPS(connections.WatchedHTTPS):
    def _new_conn(self) -> Any:
        return _connect(self)


def _connect(connection: Any) -> Any:
    return open_socket(connection._dns_host, connection.port, CONNECT_TIMEOUT_S, _reached.reach)


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _GuardedHTTP


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _GuardedHTTPS


class Poster:
    """Posts to any endpoint within reach; thread-safe. No redirects, no cookies, no proxies."""

    def __init__(self, reach: Reach, pool_size: int = 8, total_timeout_s: float = TOTAL_TIMEOUT_S) -> None:
        self._reach, self._total_timeout_s = reach, total_timeout_s
        self.session = connections.session(pool_size, {"http": _HTTPPool, "https": _HTTPSPool}, hosts=HOSTS)
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.session.headers.update(
            {"Content-Type": "application/json", "User-Agent": "waproject-webhooks/1", "Accept-Encoding": "identity"}
        )

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Connecting has 5 s for each address, all together 15 s. Raises nothing."""
        _reached.reach = self._reach
        begun = time.monotonic()
        # The watched connections keep the time: they end every read at the deadline, however a server trickles.
        connections.current.begin(self._total_timeout_s, self._total_timeout_s)
        try:
            status, retry_after = self._exchange(url, body, headers)
        except NotAllowed as error:
            return Answer(None, _ms(begun), f"Not sent: {error}")
        except Unreachable as error:
            return Answer(None, _ms(begun), f"No connection: {error}.")
        except _FAILURES as error:
            return Answer(None, _ms(begun), self._words(error))
        answer = Answer(status, _ms(begun), retry_after_s=retry_after)
        return answer if answer.is_success else Answer(status, _ms(begun), _refused(status), retry_after)

    def _exchange(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, float | None]:
        timeout = (CONNECT_TIMEOUT_S, self._total_timeout_s)
        with self.session.post(
            url, data=body, headers=dict(headers), timeout=timeout, allow_redirects=False, stream=True
        ) as response:
            with suppress(*_FAILURES):  # the answer is in the status; a body that breaks off changes nothing
                cast(bytes, response.raw.read(MAX_ANSWER + 1))
            return response.status_code, seconds_of(response.headers.get("Retry-After", ""), time.time())

    def _words(self, error: Exception) -> str:
        call = connections.current
        if isinstance(error, requests.exceptions.SSLError) and not call.left:
            return "No connection: its TLS certificate is not valid for this name."
        if not call.left:
            return "No connection: there is no way to it."
        if call.remaining() <= 0:
            return f"No answer within {self._total_timeout_s:.0f} s."
        return "The connection broke before the answer came."


def seconds_of(header: str, now: float) -> float | None:
    """What a Retry-After means: seconds, or an HTTP date. None for anything else, and for the past."""
    header = header.strip()
    if header.isascii() and header.isdigit() and len(header) < 10:  # noqa: PLR2004 - three centuries
        return float(header)
    try:
        moment: datetime = email.utils.parsedate_to_datetime(header)
        return max(0.0, moment.timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None


def _refused(status: int) -> str:
    if 300 <= status < 400:  # noqa: PLR2004 - the class of HTTP statuses
        return f"Answered {status}: redirects are not followed."
    if status == http.HTTPStatus.GONE:
        return "Answered 410: it wants no more deliveries."
    return f"Answered {status}."


def _ms(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)
