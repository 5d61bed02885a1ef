"""`python -m bench.sqs_server --port N [--latency-ms X]`: serve until SIGTERM or until the parent is gone."""

import argparse
import asyncio
import json
import os
import signal
import uuid
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench.sqs_server.actions import LONG_POLL, perform
from bench.sqs_server.queues import Fault, Queues

CONTROL = "/_bench/"


class Server:
    """Queues, what was asked of them, and how late answers are."""

    def __init__(self, port: int, latency_ms: float) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.latency_s = latency_ms / 1000
        self.queues = Queues()
        self.zero()

    def zero(self) -> None:
        """Count from now on."""
        self.requests: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()
        self.empty_receives = 0

    async def answer(self, action: str, parameters: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """One request of the protocol: status and answer."""
        self.requests[action] += 1
        self.messages[action] += len(parameters.get("Entries") or (1,)) if action != LONG_POLL else 0
        try:
            answer = await perform(self.queues, self.url, action, parameters)
            status = 200
        except Fault as fault:
            status, answer = 400, {"__type": f"com.amazonaws.sqs#{fault.code}", "message": fault.code}
        if action == LONG_POLL:
            self.messages[action] += len(answer.get("Messages", ()))
            self.empty_receives += "Messages" not in answer
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        return status, answer

    def control(self, path: str) -> dict[str, Any]:
        """What the bench asks of its server."""
        parts = urlsplit(path)
        match parts.path.removeprefix(CONTROL):
            case "counts":
                return {
                    "requests": self.requests,
                    "messages": self.messages,
                    "empty_receives": self.empty_receives,
                    "queues": {name: queue.counts() for name, queue in self.queues.by_name.items()},
                }
            case "zero":
                self.zero()
            case "reset":
                self.queues = Queues()
                self.zero()
            case "latency":
                self.latency_s = float(parse_qs(parts.query)["ms"][0]) / 1000
        return {}


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, as much of it as clients of SQS use."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._received = b""
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to answer."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
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
        if path.startswith(CONTROL):
            status, answer = 200, self._server.control(path)
        else:
            action = headers["x-amz-target"].partition(".")[2]
            status, answer = await self._server.answer(action, json.loads(body or b"{}"))
        content = json.dumps(answer).encode()
        if not self._transport.is_closing():
            self._transport.write(
                f"HTTP/1.1 {status} -\r\nContent-Type: application/x-amz-json-1.0\r\n"
                f"x-amzn-RequestId: {uuid.uuid4()}\r\nContent-Length: {len(content)}\r\n\r\n".encode()
                + content
            )


async def serve(port: int, latency_ms: float) -> None:
    """Serve until it is time to end."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    server = Server(port, latency_ms)
    await loop.create_server(lambda: Connection(server), "127.0.0.1", port, backlog=512)
    parent = os.getppid()
    while not ended.is_set() and os.getppid() == parent:
        try:
            await asyncio.wait_for(ended.wait(), 1.0)
        except TimeoutError:
            continue


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.latency_ms))
