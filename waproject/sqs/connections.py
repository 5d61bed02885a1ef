"""Kept-alive HTTP/1.1 connections for small requests: one write, one read, no header objects.

http.client parses headers as e-mail, and urllib3 makes four more system calls per request, each of which releases the
GIL. docs/internals.md has the cost per send and status. SQS uses no redirects, compression or trailers, so they are not
implemented; neither are proxies.
"""

import os
import select
import socket
import ssl
import struct
import time
from collections import deque
from dataclasses import dataclass
from urllib.parse import urlsplit

CONNECT_TIMEOUT_S = 3.0
# Idle connections kept for reuse; more may be open at once.
KEPT = 16
# A connection that was idle for longer is checked for a close by the server before reuse.
TRUSTED_IDLE_S = 1.0
READ_BYTES = 65536
MAX_HEAD_BYTES = 65536
NO_CONTENT = {204, 304}


class ConnectionFailed(Exception):
    """No answer: no connection, a timeout, a close before the end of the answer, or no HTTP."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where to connect, and the path that requests go to."""

    host: str
    port: int
    tls: bool
    path: str

    @classmethod
    def of(cls, url: str) -> "Origin":
        """Raises ValueError for a URL without a host."""
        parts = urlsplit(url)
        if not parts.hostname or parts.scheme not in {"http", "https"}:
            raise ValueError(f"not a URL of a server: {url}")
        tls = parts.scheme == "https"
        return cls(parts.hostname, parts.port or (443 if tls else 80), tls, parts.path.rstrip("/") + "/")

    @property
    def host_header(self) -> str:
        """The Host header as it is signed: without the scheme's default port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


class Connections:
    """The connections of one process to one origin; thread-safe, also after a fork."""

    def __init__(self, origin: Origin, ca_bundle: str | None = None) -> None:
        self._origin = origin
        self._tls = ssl.create_default_context(cafile=ca_bundle) if origin.tls else None
        self._idle: deque[_Connection] = deque()
        self._pid = os.getpid()

    def post(self, headers: dict[str, str], body: bytes, timeout: float) -> tuple[int, bytes]:
        """Returns (status, body). `timeout`: seconds for each step. Raises ConnectionFailed."""
        lines = [f"POST {self._origin.path} HTTP/1.1", f"Host: {self._origin.host_header}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"Content-Length: {len(body)}", "", ""]
        if any("\r" in line or "\n" in line for line in lines):
            raise ConnectionFailed("a header with a line break")
        request = "\r\n".join(lines).encode("latin-1") + body
        connection = self._take(timeout)
        try:
            status, answer = connection.exchange(request, timeout)
        except (OSError, ValueError) as error:
            connection.close()
            raise ConnectionFailed(type(error).__name__) from None
        if connection.reusable and len(self._idle) < KEPT:
            self._idle.append(connection)
        else:
            connection.close()
        return status, answer

    def _take(self, timeout: float) -> "_Connection":
        if self._pid != os.getpid():  # a child must not use its parent's connections
            self._idle, self._pid = deque(), os.getpid()
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                break
            if connection.is_alive():
                return connection
            connection.close()
        try:
            return _Connection(self._origin, self._tls, min(CONNECT_TIMEOUT_S, timeout))
        except OSError as error:
            raise ConnectionFailed(type(error).__name__) from None


class _Connection:
    """One socket. Without TLS the kernel enforces the timeouts, which saves one system call per read and write.

    With TLS Python must enforce them: its SSL module retries forever when a kernel timeout expires.
    """

    def __init__(self, origin: Origin, tls: ssl.SSLContext | None, timeout: float) -> None:
        self._socket = socket.create_connection((origin.host, origin.port), timeout)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls:
                self._socket = tls.wrap_socket(self._socket, server_hostname=origin.host)
            else:
                self._socket.settimeout(None)
        except BaseException:
            self._socket.close()
            raise
        self._timeout = 0.0
        self._used = time.monotonic()
        self.reusable = False

    def is_alive(self) -> bool:
        """False for an idle connection that is readable: the server closed it."""
        if time.monotonic() - self._used < TRUSTED_IDLE_S:
            return True
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def exchange(self, request: bytes, timeout: float) -> tuple[int, bytes]:
        """Returns (status, body). Raises OSError, also on a timeout, and ValueError for what is not HTTP."""
        if timeout != self._timeout:
            self._limit(timeout)
        self._socket.sendall(request)
        status = 100
        data = b""
        while 100 <= status < 200:  # noqa: PLR2004 - interim answers
            head, data = self._head(data)
            status, fields = parse_head(head)
        body = self._body(status, fields, data)
        self._used = time.monotonic()
        return status, body

    def _limit(self, timeout: float) -> None:
        if isinstance(self._socket, ssl.SSLSocket):
            self._socket.settimeout(timeout)
        else:
            limit = struct.pack("ll", int(timeout), int(timeout % 1 * 1e6) or 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self._timeout = timeout

    def _head(self, data: bytes) -> tuple[bytes, bytes]:
        while (end := data.find(b"\r\n\r\n")) < 0:
            if len(data) > MAX_HEAD_BYTES:
                raise ValueError("the head is too long")
            data += self._read()
        return data[:end], data[end + 4 :]

    def _body(self, status: int, fields: dict[bytes, bytes], data: bytes) -> bytes:
        keep = fields.get(b"connection", b"").lower() != b"close"
        if b"chunked" in fields.get(b"transfer-encoding", b"").lower():
            body, rest = self._chunks(data)
        elif b"content-length" in fields or status in NO_CONTENT:
            length = 0 if status in NO_CONTENT else int(fields[b"content-length"])
            body, rest = self._exactly(length, data)
        else:
            body, rest, keep = self._until_closed(data), b"", False
        self.reusable = keep and not rest
        return body

    def _chunks(self, data: bytes) -> tuple[bytes, bytes]:
        chunks: list[bytes] = []
        while True:
            while b"\r\n" not in data:
                data += self._read()
            size, _, data = data.partition(b"\r\n")
            chunk, data = self._exactly(int(size.partition(b";")[0], 16) + 2, data)
            if len(chunk) == 2:  # noqa: PLR2004 - the last chunk is only a line break
                return b"".join(chunks), data
            chunks.append(chunk[:-2])

    def _exactly(self, length: int, data: bytes) -> tuple[bytes, bytes]:
        if length < 0:
            raise ValueError("a negative length")
        if len(data) < length:
            parts, got = [data], len(data)
            while got < length:
                parts.append(self._read())
                got += len(parts[-1])
            data = b"".join(parts)
        return data[:length], data[length:]

    def _until_closed(self, data: bytes) -> bytes:
        parts = [data]
        while part := self._socket.recv(READ_BYTES):
            parts.append(part)
        return b"".join(parts)

    def _read(self) -> bytes:
        data = self._socket.recv(READ_BYTES)
        if not data:
            raise ConnectionResetError("closed before the end of the answer")
        return data


def parse_head(head: bytes) -> tuple[int, dict[bytes, bytes]]:
    """Returns (status, fields): names in lower case, the last of a repeated field wins. Raises ValueError."""
    first, *lines = head.split(b"\r\n")
    if not first.startswith(b"HTTP/1."):
        raise ValueError("not HTTP/1")
    fields = {}
    for line in lines:
        name, _, value = line.partition(b":")
        fields[name.lower()] = value.strip()
    if first.startswith(b"HTTP/1.0"):
        fields.setdefault(b"connection", b"close")
    return int(first[9:12]), fields
