"""HTTP connections that track whether a request may have left, and enforce a deadline and a maximum idle time.

A send must not be repeated once a byte of it may have reached Meta, so "did anything leave" is not guessed from the
type of an exception (a TLS error can come before and after the request). The connection itself notes the moment
before it writes. The state of a call lives in its thread: urllib3 does one call in one thread from start to end.

The deadline is set on the socket before each read. A read timeout alone restarts with every byte, so a server
that trickles its headers or its body could hold a thread for hours.

An idle connection may have been closed by the server. urllib3 looks for that before it reuses one, but a close that
is still on its way, or was swallowed by a NAT gateway, is seen only after the request was written: then the outcome is
unknown. Hence connections that idled for `MAX_IDLE` seconds are dropped, before the server's side (5 s in the shortest
common defaults) would. At full pace none idles that long; at low pace a handshake is cheap.
"""

import http.client
import io
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any, cast

import requests
import requests.adapters
import urllib3
from requests.adapters import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, LocationParseError, NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family

from messaging.whatsapp.connecting import connect_to_first

MAX_IDLE = 4.0
# Interim answers (RFC 9110, 15.2) without 101, which ends HTTP on the connection.
INTERIM = frozenset({100, *range(102, 200)})
# Servers send one or two. Without a limit a server could hold a call until its deadline.
MAX_INTERIM = 20


class Call(threading.local):
    """One call in this thread: its deadline (monotonic seconds), its read timeout, and whether bytes may have left."""

    may_have_left: bool = False
    deadline: float = 0.0
    read_timeout: float = 0.0
    needed: float = 0.0

    def begin(self, total_timeout: float, read_timeout: float) -> None:
        """Starts the deadline. Connecting must leave a full read timeout for the answer, or half of the total."""
        self.may_have_left = False
        self.deadline = time.monotonic() + total_timeout
        self.read_timeout = read_timeout
        self.needed = min(read_timeout, total_timeout / 2)

    def remaining(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - time.monotonic()

    def left_to_connect(self) -> float:
        """Seconds in which a connection must stand, so that `leave` still lets the request go."""
        return self.remaining() - self.needed

    def leave(self) -> None:
        """Records that bytes are about to leave; raises TimeoutError, with nothing sent, if too little time is left."""
        if not self.may_have_left and self.remaining() < self.needed:
            raise TimeoutError("connecting took too long")
        self.may_have_left = True


current = Call()


class _DeadlineReader(io.RawIOBase):
    """The reading half of a socket; each read ends at the call's deadline at the latest."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = cast(io.RawIOBase, sock.makefile("rb", buffering=0))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = current.remaining()
        if remaining <= 0:
            raise TimeoutError("the call's time is over")
        self._sock.settimeout(min(current.read_timeout, remaining))
        return cast(int | None, cast(Any, self._raw).readinto(buffer))

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Readable:
    """The part of a socket that http.client's response uses."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, *_args: object, **_kwargs: object) -> io.BufferedReader:
        return io.BufferedReader(_DeadlineReader(self._sock))


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(cast(socket.socket, _Readable(sock)), *args, **kwargs)

    def _read_status(self) -> tuple[str, int, str]:
        """The status of the final answer: http.client skips 100 and takes 102 or 103 (Early Hints) for the answer."""
        for _ in range(MAX_INTERIM + 1):
            version, status, reason = cast(tuple[str, int, str], super()._read_status())  # type: ignore[misc]
            if status not in INTERIM:
                return version, status, reason
            http.client._read_headers(self.fp)  # type: ignore[attr-defined]
        raise http.client.HTTPException("too many interim answers")


class _Watched:
    """Mix-in for urllib3's connections."""

    response_class: Any = _Response
    _last_sent = 0.0

    @property
    def is_connected(self) -> bool:
        fresh = time.monotonic() - self._last_sent < MAX_IDLE
        return fresh and cast(bool, super().is_connected)  # type: ignore[misc]

    def _new_conn(self) -> socket.socket:
        """As urllib3's, which gives each address of a host the whole connect timeout."""
        own = cast(HTTPConnection, self)
        try:
            infos = socket.getaddrinfo(own._dns_host.strip("[]"), own.port, allowed_gai_family(), socket.SOCK_STREAM)
            addresses = [(info[0], info[4]) for info in infos]
            return connect_to_first(addresses, cast(float, own.timeout), current.left_to_connect())
        except socket.gaierror as error:
            raise NameResolutionError(own.host, own, error) from error
        except UnicodeError:
            raise LocationParseError(f"{own.host!r}, label empty or too long") from None
        except TimeoutError as error:
            raise ConnectTimeoutError(own, f"Connection to {own.host} timed out.") from error
        except OSError as error:
            raise NewConnectionError(own, f"Failed to establish a new connection: {error}") from error

    def send(self, data: Any) -> None:
        connection = cast(http.client.HTTPConnection, self)
        if connection.sock is None:
            connection.connect()
        current.leave()
        self._last_sent = time.monotonic()
        super().send(data)  # type: ignore[misc]


class WatchedHTTP(_Watched, HTTPConnection):
    """urllib3's connection with tracking."""


class WatchedHTTPS(_Watched, HTTPSConnection):
    """The same over TLS."""


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = WatchedHTTP


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = WatchedHTTPS


POOLS: Mapping[str, Any] = {"http": _HTTPPool, "https": _HTTPSPool}


def pool(url: str, size: int, ca_certs: str | None = None) -> urllib3.HTTPConnectionPool:
    """Up to `size` watched connections to the server of a URL, without requests: for calls that are made very often.

    No retries, redirects, cookies or proxies. `ca_certs`: a file with the trusted roots; None: those of requests.
    """
    parts = urllib3.util.parse_url(url)
    if parts.scheme != "https":
        return _HTTPPool(parts.host or "", parts.port, maxsize=size, retries=False)
    return _HTTPSPool(
        parts.host or "", parts.port, maxsize=size, retries=False, cert_reqs="CERT_REQUIRED",
        ca_certs=ca_certs or DEFAULT_CA_BUNDLE_PATH,
    )  # fmt: skip


class _Adapter(requests.adapters.HTTPAdapter):
    def __init__(self, pools: Mapping[str, Any], **kwargs: Any) -> None:
        self._pools = pools
        super().__init__(**kwargs)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = dict(self._pools)


class _Session(requests.Session):
    def get_redirect_target(self, _resp: requests.Response) -> None:
        """None: requests would otherwise read a redirect's whole body, however large."""


def session(pool_size: int, pools: Mapping[str, Any] = POOLS, hosts: int = 4) -> requests.Session:
    """A session over watched connections: no retries, no redirects, no proxies or netrc from the environment.

    `pools`: by scheme, pools whose connections add to the watched ones. `hosts`: how many have a pool at once.
    """
    result = _Session()
    result.trust_env = False
    adapter = _Adapter(pools, pool_connections=hosts, pool_maxsize=pool_size, max_retries=0)
    result.mount("https://", adapter)
    result.mount("http://", adapter)
    return result
