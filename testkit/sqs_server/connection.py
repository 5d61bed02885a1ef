"""HTTP/1.1 with keep-alive, as far as clients of SQS use it."""

import asyncio
import json
import uuid
from typing import Any, Protocol


class Answers(Protocol):
    """Answers requests, and knows its connections."""

    def connected(self, transport: asyncio.BaseTransport) -> None:
        """A client opened a connection."""

    def disconnected(self, transport: asyncio.BaseTransport) -> None:
        """A connection was closed."""

    async def answer(self, path: str, action: str, parameters: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """HTTP status and JSON object."""


class Connection(asyncio.Protocol):
    """One client's connection; its requests are answered as each is ready."""

    def __init__(self, server: Answers) -> None:
        self._server = server
        self._received = b""
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport for the answers."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connected(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the server."""
        self._server.disconnected(self._transport)

    def data_received(self, data: bytes) -> None:
        """Answer each complete request."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            first, *lines = self._received[:end].decode("latin-1").split("\r\n")
            headers = {
                name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
            }
            length = int(headers.get("content-length", 0))
            if len(self._received) < end + 4 + length:
                if headers.get("expect") == "100-continue":
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            body = self._received[end + 4 : end + 4 + length]
            self._received = self._received[end + 4 + length :]
            task = asyncio.ensure_future(self._respond(first.split(" ")[1], headers, body))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _respond(self, path: str, headers: dict[str, str], body: bytes) -> None:
        action = headers.get("x-amz-target", "").partition(".")[2]
        status, answer = await self._server.answer(path, action, json.loads(body or b"{}"))
        content = json.dumps(answer).encode()
        if not self._transport.is_closing():
            self._transport.write(
                f"HTTP/1.1 {status} -\r\nContent-Type: application/x-amz-json-1.0\r\n"
                f"x-amzn-RequestId: {uuid.uuid4()}\r\nContent-Length: {len(content)}\r\n\r\n".encode()
                + content
            )
