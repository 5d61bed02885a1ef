"""A proxy before the SQS server that answers for it when told to: 503, 400, a closed connection."""

import contextlib
import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FaultySqs:
    """Forwards to the server at `target` (a port of 127.0.0.1) until `fault` is set."""

    def __init__(self, target: int) -> None:
        self.fault: str | None = None
        self.faults_answered = 0
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if proxy.fault is None:
                    proxy.forward(self, body, target)
                else:
                    proxy.fail(self)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def forward(self, handler: BaseHTTPRequestHandler, body: bytes, target: int) -> None:
        """Pass one request on and its answer back."""
        connection = http.client.HTTPConnection("127.0.0.1", target, timeout=30)
        connection.request("POST", handler.path, body, dict(handler.headers))
        answer = connection.getresponse()
        content = answer.read()
        self.answer(handler, answer.status, content)
        connection.close()

    def fail(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer with the fault."""
        self.faults_answered += 1
        if self.fault == "close":
            handler.close_connection = True
            handler.connection.close()
        elif self.fault == "503":
            self.answer(handler, 503, b"<html>Service Unavailable</html>")
        else:
            self.answer(handler, 400, b'{"__type": "com.amazonaws.sqs#ExpiredToken", "message": "expired"}')

    def answer(self, handler: BaseHTTPRequestHandler, status: int, content: bytes) -> None:
        """Send a JSON answer."""
        handler.send_response(status)
        handler.send_header("Content-Type", "application/x-amz-json-1.0")
        handler.send_header("Content-Length", str(len(content)))
        with contextlib.suppress(OSError):  # a worker that was stopped has left
            handler.end_headers()
            handler.wfile.write(content)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
