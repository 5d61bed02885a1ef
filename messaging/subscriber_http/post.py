"""One POST to a subscriber endpoint, and its answer or error text."""

import http.client
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, cast

import requests
import urllib3
import urllib3.exceptions

from messaging.retry_after import seconds_of
from messaging.subscriber_http.ssrf_guard import AddressNotAllowed, NetworkPolicy, Unreachable, open_socket
from messaging.whatsapp import connections

CONNECT_TIMEOUT_S = 5.0
TOTAL_TIMEOUT_S = 15.0
# An answer's body is read up to this size, so that the connection can be reused, and discarded.
MAX_ANSWER = 64 * 1024
# Hosts with pooled connections.
HOSTS = 64
_FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a request: an HTTP status, or None and the error. `error` is empty for a 2xx."""

    status: int | None
    duration_ms: int
    error: str = ""
    # The endpoint's Retry-After, in seconds from now.
    retry_after_s: float | None = None

    @property
    def is_success(self) -> bool:
        """Whether the endpoint accepted the delivery (2xx)."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - the class of HTTP statuses

    @property
    def is_gone(self) -> bool:
        """Whether the endpoint refuses all further deliveries (410)."""
        return self.status == http.HTTPStatus.GONE


class _Current(threading.local):
    """The network policy of this thread's request."""

    policy: NetworkPolicy = NetworkPolicy()


_current = _Current()


class _GuardedHTTP(connections.WatchedHTTP):
    def _new_conn(self) -> Any:
        return _connect(self)


class _GuardedHTTPS(connections.WatchedHTTPS):
    def _new_conn(self) -> Any:
        return _connect(self)


def _connect(connection: Any) -> Any:
    left = connections.current.left_to_connect
    return open_socket(connection._dns_host, connection.port, CONNECT_TIMEOUT_S, _current.policy, left)


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _GuardedHTTP


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _GuardedHTTPS


class SubscriberClient:
    """Posts to the endpoints that the network policy allows. Thread-safe; no redirects, no cookies, no proxies."""

    def __init__(self, policy: NetworkPolicy, pool_size: int = 8, total_timeout_s: float = TOTAL_TIMEOUT_S) -> None:
        self._policy, self._total_timeout_s = policy, total_timeout_s
        self.session = connections.session(pool_size, {"http": _HTTPPool, "https": _HTTPSPool}, hosts=HOSTS)
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.session.headers.update(
            {"Content-Type": "application/json", "User-Agent": "waproject-webhooks/1", "Accept-Encoding": "identity"}
        )

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post the body. Timeouts: 15 s in total, of which the addresses of the host share 7.5 s to connect, at most
        5 s for one. Errors are returned, not raised."""
        _current.policy = self._policy
        started_at = time.monotonic()
        # The connections end every read at the deadline, even if the server sends a byte at a time.
        connections.current.begin(self._total_timeout_s, self._total_timeout_s)
        try:
            status, retry_after = self._exchange(url, body, headers)
        except AddressNotAllowed as error:
            return Answer(None, _ms(started_at), f"Not sent: {error}")
        except Unreachable as error:
            return Answer(None, _ms(started_at), f"No connection: {error}.")
        except _FAILURES as error:
            return Answer(None, _ms(started_at), self._describe(error))
        answer = Answer(status, _ms(started_at), retry_after_s=retry_after)
        return answer if answer.is_success else Answer(status, _ms(started_at), _refused(status), retry_after)

    def _exchange(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, float | None]:
        timeout = (CONNECT_TIMEOUT_S, self._total_timeout_s)
        with self.session.post(
            url, data=body, headers=dict(headers), timeout=timeout, allow_redirects=False, stream=True
        ) as response:
            with suppress(*_FAILURES):  # only the status counts, even if the body is incomplete
                cast(bytes, response.raw.read(MAX_ANSWER))
            return response.status_code, seconds_of(response.headers.get("Retry-After", ""), time.time())

    def _describe(self, error: Exception) -> str:
        call = connections.current
        if isinstance(error, requests.exceptions.SSLError) and not call.may_have_left:
            return "No connection: its TLS certificate is not valid for this name."
        if not call.may_have_left:
            return "No connection: the host is unreachable."
        if call.remaining() <= 0:
            return f"No answer within {self._total_timeout_s:.0f} s."
        return "The connection broke before the answer came."


def _refused(status: int) -> str:
    if 300 <= status < 400:  # noqa: PLR2004 - the class of HTTP statuses
        return f"Answered {status}: redirects are not followed."
    if status == http.HTTPStatus.GONE:
        return "Answered 410: the endpoint refuses further deliveries."
    return f"Answered {status}."


def _ms(started_at: float) -> int:
    return round((time.monotonic() - started_at) * 1000)
