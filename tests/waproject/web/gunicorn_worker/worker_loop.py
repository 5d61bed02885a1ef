"""A worker of gunicorn whose event loop tests turn by hand."""

import socket
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from selectors import DefaultSelector
from types import SimpleNamespace
from typing import Any

from gunicorn.config import Config  # type: ignore[import-untyped]

from waproject.web.gunicorn_worker import Connection, Worker

GET = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /webhook/whatsapp HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"


class Loop(Worker):
    """A worker whose threads are this test: complete requests are in `ready`."""

    def __init__(self) -> None:
        self.ready: list[Connection] = []
        self.errors: list[tuple[Any, ...]] = []
        log = SimpleNamespace(error=lambda *words: self.errors.append(words))
        super().__init__(1, 1, [], None, 30, Config(), log)
        self.poller = DefaultSelector()
        self.sockets_of_test: list[socket.socket] = []

    def enqueue_req(self, conn: Connection) -> None:
        self.ready.append(conn)

    def connect(self, data: bytes = b"") -> socket.socket:
        """A client that has sent these bytes, and is accepted."""
        ours, theirs = socket.socketpair()
        self.sockets_of_test += [ours, theirs]
        theirs.settimeout(5)
        theirs.sendall(data)
        self.accept(SimpleNamespace(accept=lambda: (ours, ("127.0.0.1", 1)), getsockname=lambda: ("127.0.0.1", 2)))  # type: ignore[arg-type]
        return theirs

    def turn(self) -> None:
        """One turn of the event loop, which checks the times at its end."""
        self.wait_for_and_dispatch_events(0)
        self._checked_at = 0.0
        self.murder_pending()

    @property
    def reading(self) -> list[Connection]:
        """The connections whose requests are not complete."""
        return list(self._reading)

    @property
    def watched(self) -> set[Any]:
        """The sockets that the event loop watches."""
        return {key.fileobj for key in self.poller.get_map().values()}


@contextmanager
def running_loop() -> Iterator[Loop]:
    """A loop, and the end of its sockets."""
    loop = Loop()
    yield loop
    for sock in loop.sockets_of_test:
        sock.close()
    loop.poller.close()
    loop.tmp.close()


def answered(result: bool) -> "Future[bool]":
    """A thread's answer: whether the connection stays open."""
    future: Future[bool] = Future()
    future.set_result(result)
    return future


def all_of(sock: socket.socket) -> bytes:
    """What the server sends until it ends the connection."""
    data = b""
    while more := sock.recv(65536):
        data += more
    return data


def refusal(status: str, detail: str) -> bytes:
    body = f'{{"detail": "{detail}"}}'
    return (
        f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
