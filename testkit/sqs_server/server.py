"""The server: its queues, counts, latency and faults.

Beside the protocol it answers GET requests for its own control paths:

    /_control/counts              requests, messages, queues, and how often each fault hit
    /_control/zero                count requests and messages from now on
    /_control/latency?ms=10       answer this much later
    /_control/away?s=20           refuse connections for this long; the messages stay
    /_control/loses?queue=outgoing  accept and drop what is sent to queues whose name ends so; empty: none
    /_control/doubles?on=1        keep two copies of each message, every other second copy a second later
    /_control/forget              drop all messages and end all faults
"""

import asyncio
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

from testkit.sqs_server.actions import LONG_POLL, perform
from testkit.sqs_server.connection import Connection
from testkit.sqs_server.queues import Fault, Queues

CONTROL = "/_control/"
BACKLOG = 512
# Time for the answer to the request that sends the server away.
ANSWER_S = 0.05


class Server:
    """Queues, the requests that were made of them, and the faults of the moment."""

    def __init__(self, port: int, latency_ms: float = 0.0) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        self.latency_s = latency_ms / 1000
        self.queues = Queues()
        self.broken_connections = 0
        self._connections: set[asyncio.BaseTransport] = set()
        self._listening: asyncio.Server | None = None
        self._returning: asyncio.Task[None] | None = None
        self.zero()

    async def listen(self) -> None:
        """Accept connections."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(lambda: Connection(self), "127.0.0.1", self.port, backlog=BACKLOG)

    def connected(self, transport: asyncio.BaseTransport) -> None:
        """A client opened a connection."""
        self._connections.add(transport)

    def disconnected(self, transport: asyncio.BaseTransport) -> None:
        """A connection was closed."""
        self._connections.discard(transport)

    def zero(self) -> None:
        """Count from now on."""
        self.requests: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()
        self.empty_receives = 0

    async def answer(self, path: str, action: str, parameters: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and answer of one request of the protocol or of a control path."""
        if path.startswith(CONTROL):
            return 200, self._control(path)
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

    def _control(self, path: str) -> dict[str, Any]:
        parts = urlsplit(path)
        given = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match parts.path.removeprefix(CONTROL):
            case "counts":
                return self._counts()
            case "zero":
                self.zero()
            case "latency":
                self.latency_s = float(given["ms"]) / 1000
            case "away":
                self._returning = asyncio.ensure_future(self._away(float(given["s"])))
            case "loses":
                self.queues.loses = given.get("queue", "")
            case "doubles":
                self.queues.doubles = given.get("on") == "1"
            case "forget":
                self.queues.forget()
        return {}

    def _counts(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "messages": self.messages,
            "empty_receives": self.empty_receives,
            "queues": {name: queue.counts() for name, queue in self.queues.by_name.items()},
            "lost": self.queues.lost,
            "doubled": self.queues.doubled,
            "broken_connections": self.broken_connections,
        }

    async def _away(self, seconds: float) -> None:
        await asyncio.sleep(ANSWER_S)
        assert self._listening
        self._listening.close()
        self.broken_connections += len(self._connections)
        for transport in list(self._connections):
            transport.close()
        await asyncio.sleep(seconds)
        await self.listen()
