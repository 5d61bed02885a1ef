"""A subscriber's endpoint on this machine, whose answers the test chooses."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Keeps all requests; `answer(received)` gives the status, and may take its time."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answer: Callable[[Received], int] = lambda _: 204
        self.over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                one = Received(self.path, dict(self.headers.items()), body)
                outer.received.append(one)
                self.send_response(outer.answer(one))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def of(self, path: str) -> list[Received]:
        """The requests to one path."""
        return [one for one in list(self.received) if one.path == path]

    def ids(self, path: str) -> list[str]:
        """Their webhook-ids."""
        return [one.headers["webhook-id"] for one in self.of(path)]

    def sleep(self, seconds: float) -> None:
        """Take so long, or until the test is over."""
        self.over.wait(seconds)

    def close(self) -> None:
        """End."""
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
