"""The base of HTTP proxies in front of a server on this machine."""

import http.client
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# Above the longest long poll of SQS.
TIMEOUT_S = 60.0


class Listener(ThreadingHTTPServer):
    """A thread for each connection; ends without waiting for them."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: clients are killed and connections broken on purpose."""


class Forwarder(BaseHTTPRequestHandler):
    """One client's connection, with a connection of its own, `behind`, to the server at port `target`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    target: int

    def setup(self) -> None:
        """Connect to the server at the first request."""
        super().setup()
        self.behind = http.client.HTTPConnection("127.0.0.1", self.target, timeout=TIMEOUT_S)

    def finish(self) -> None:
        """Close both connections."""
        self.behind.close()
        super().finish()

    def log_message(self, *args: Any) -> None:
        """Log nothing."""
