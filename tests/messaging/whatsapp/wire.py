"""A server on 127.0.0.1 that does on each connection what a test tells it to, down to the byte."""

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

OK = {
    "messaging_product": "whatsapp",
    "contacts": [{"input": "16505551234", "wa_id": "16505551234"}],
    "messages": [{"id": "wamid.A", "message_status": "accepted"}],
}


def http(status: int = 200, body: Any = OK, extra: str = "") -> bytes:
    """An answer's bytes; `body` is written as JSON unless it is bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n{extra}\r\n".encode() + content


def request(connection: socket.socket) -> tuple[bytes, bytes]:
    """The next request's head and body; empty when the client closed the connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(65536)
        if not more:
            return b"", b""
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head, body


Behaviour = Callable[[socket.socket, "Server"], object]


class Server:
    """Runs `behaviour(connection, server)` on a thread for each connection; `requests` are those it answered."""

    def __init__(self) -> None:
        self.behaviour: Behaviour = answering(http())
        self.requests: list[tuple[bytes, bytes]] = []
        self.accepted = self._ended = 0
        self.over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=300)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self.over.is_set():
            with suppress(OSError):
                connection, _ = self._listener.accept()
                self.accepted += 1
                threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            self.behaviour(connection, self)
        self._ended += 1

    @property
    def serving(self) -> int:
        """Connections that it has not closed."""
        return self.accepted - self._ended

    def close(self) -> None:
        self.over.set()
        # Wakes the accept; closing alone does not on Linux.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def answering(*answers: Any) -> Behaviour:
    """Answers requests one after another, the last answer again and again."""

    def behave(connection: socket.socket, server: Server) -> None:
        for at in range(1000):
            head, body = request(connection)
            if not head:
                return
            server.requests.append((head, body))
            connection.sendall(answers[min(at, len(answers) - 1)])

    return behave


def after_request(act: Any) -> Behaviour:
    """Reads one request, then does `act(connection, server)` and closes."""

    def behave(connection: socket.socket, server: Server) -> None:
        server.requests.append(request(connection))
        act(connection, server)

    return behave
