"""A proxy that adds faults to any SQS-compatible server on 127.0.0.1: refused, throttled, partly failed requests.

It runs in threads of the process that created it.
"""

import contextlib
import http
import json
import socket
import threading
from enum import StrEnum
from typing import Any

from testkit.forwarding import Forwarder, Listener


class Fault(StrEnum):
    """How a request, or an entry of a batch, fails. The server behind does not see it unless noted."""

    UNAVAILABLE = "503"
    EXPIRED = "ExpiredToken"
    THROTTLED = "ThrottlingException"
    CLOSED = "connection closed"
    ENTRIES_FAIL = "entries fail"  # as InternalError; single sends are answered 500
    STALE = "stale handles"  # deletes are forwarded, and answered as if the handle were stale


ON_ENTRIES = {Fault.ENTRIES_FAIL, Fault.STALE}
UNAVAILABLE = b"<html>Service Unavailable</html>"


class SqsProxy:
    """Forwards to the port `target`. While `fault` is set it hits every `one_in`-th request or entry.

    about: only requests whose body contains this are hit, such as a part of a queue's name. hits: requests and entries
    that were hit. broken_connections: those that `close` broke.
    """

    def __init__(self, target: int, about: bytes = b"") -> None:
        self.about = about
        self.fault: Fault | None = None
        self.one_in = 1
        self.hits = 0
        self.broken_connections = 0
        self.last_authorization = ""
        self._target = target
        self._seen = 0
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._server: Listener | None = None
        self._listen(0)
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Refuse connections and break the open ones."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        self.broken_connections += len(self._connections)
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def open(self) -> None:
        """Accept connections again."""
        self._listen(self.port)

    def set(self, fault: Fault | None, one_in: int = 1) -> None:
        """Start this fault; None ends it."""
        self.one_in = one_in
        self.fault = fault

    def hit(self) -> bool:
        """Count this request or entry, and return whether the fault hits it."""
        with self._lock:
            self._seen += 1
            turn = self._seen % self.one_in == 0
            self.hits += turn
            return turn

    def _listen(self, port: int) -> None:
        proxy = self

        class Handler(_Handler):
            owner = proxy
            target = proxy._target

        self._server = Listener(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def opened(self, connection: socket.socket) -> None:
        """A client opened a connection."""
        self._connections.add(connection)

    def ended(self, connection: socket.socket) -> None:
        """A client closed its connection."""
        self._connections.discard(connection)


class _Handler(Forwarder):
    owner: SqsProxy

    def setup(self) -> None:
        super().setup()
        self.owner.opened(self.connection)

    def finish(self) -> None:
        self.owner.ended(self.connection)
        super().finish()

    def do_POST(self) -> None:
        """Forward a request, or answer as the fault says."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        action = self.headers.get("X-Amz-Target", "").partition(".")[2]
        self.owner.last_authorization = self.headers.get("Authorization", "")
        fault = self.owner.fault if self.owner.about in body else None
        if fault in ON_ENTRIES and action.endswith("Batch"):
            self._forward_entries(fault, action, json.loads(body))
        elif fault is Fault.ENTRIES_FAIL and action == "SendMessage" and self.owner.hit():
            self._refuse(500, "InternalError")
        elif fault is None or fault in ON_ENTRIES or not self.owner.hit():
            self._answer(*self._forward(body))
        elif fault is Fault.CLOSED:
            self.close_connection = True
        elif fault is Fault.UNAVAILABLE:
            self._answer(503, UNAVAILABLE)
        else:
            self._refuse(400, fault)

    def _forward_entries(self, fault: Fault, action: str, parameters: dict[str, Any]) -> None:
        stale = fault is Fault.STALE
        if stale and action != "DeleteMessageBatch":
            self._answer(*self._forward(json.dumps(parameters).encode()))
            return
        hit = {entry["Id"] for entry in parameters["Entries"] if self.owner.hit()}
        parameters["Entries"] = [entry for entry in parameters["Entries"] if stale or entry["Id"] not in hit]
        answer: dict[str, Any] = {}
        if parameters["Entries"]:
            status, content = self._forward(json.dumps(parameters).encode())
            if status != http.HTTPStatus.OK:
                self._answer(status, content)
                return
            answer = json.loads(content)
        code = "ReceiptHandleIsInvalid" if stale else "InternalError"
        answer["Successful"] = [entry for entry in answer.get("Successful") or () if entry["Id"] not in hit]
        answer["Failed"] = [
            *(answer.get("Failed") or ()),
            *({"Id": number, "Code": code, "SenderFault": stale} for number in sorted(hit)),
        ]
        self._answer(200, json.dumps(answer).encode())

    def _forward(self, body: bytes) -> tuple[int, bytes]:
        headers = {name: value for name, value in self.headers.items() if name.lower() != "content-length"}
        self.behind.request("POST", self.path, body, headers)
        answer = self.behind.getresponse()
        return answer.status, answer.read()

    def _refuse(self, status: int, code: str) -> None:
        self._answer(status, json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": code}).encode())

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(content)))
        with contextlib.suppress(OSError):  # the client was stopped or killed meanwhile
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()
