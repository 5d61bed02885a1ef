"""The far end of the sandbox's webhooks: a small HTTP server in a thread that keeps what it got."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Thread
from typing import Any

from tests.waiting import PATIENCE_S


@dataclass(frozen=True)
class Hook:
    """One received webhook and what it was answered."""

    headers: dict[str, str]
    body: bytes
    answered: int

    @property
    def value(self) -> dict[str, Any]:
        """The ``value`` of its only change."""
        value: dict[str, Any] = json.loads(self.body)["entry"][0]["changes"][0]["value"]
        return value

    @property
    def status(self) -> dict[str, Any]:
        """Its only status, or an empty one."""
        statuses: list[dict[str, Any]] = self.value.get("statuses", [{}])
        return statuses[0]


class Receiver:
    """Answers 200, or first whatever ``answers`` holds; while it may not answer, what has ``arrived`` waits."""

    def __init__(self, port: int = 0) -> None:
        self.answers: list[int] = []
        self.hooks: list[Hook] = []
        self.arrived, self.may_answer = Event(), Event()
        self.may_answer.set()
        self._changed = Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhook/whatsapp"
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def clear(self) -> None:
        with self._changed:
            self.answers.clear()
            self.arrived.clear()
            self.hooks.clear()

    def wait_for(self, count: int, wanted: Callable[[Hook], bool], seconds: float = PATIENCE_S) -> list[Hook]:
        """The webhooks that match, once there are ``count`` of them."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while len(found := [hook for hook in self.hooks if wanted(hook)]) < count:
                assert self._changed.wait(deadline - time.monotonic()), f"{len(found)} of {count} webhooks came"
            return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.arrived.set()
                receiver.may_answer.wait(PATIENCE_S)
                self.send_response(receiver._keep(dict(self.headers), body))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def _keep(self, headers: dict[str, str], body: bytes) -> int:
        with self._changed:
            answer = self.answers.pop(0) if self.answers else 200
            self.hooks.append(Hook(headers, body, answer))
            self._changed.notify_all()
            return answer
