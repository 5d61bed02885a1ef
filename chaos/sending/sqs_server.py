"""The bench's SQS server, and what SQS may do to a pipeline: be away, lose messages, deliver them twice.

`python -m chaos.sending.sqs_server --port N` serves until SIGTERM. Asked for beside the protocol:

    /_bench/away?s=20             refuses connections for so long; what it holds stays
    /_bench/loses?queue=outgoing  accepts and forgets what is sent to queues whose name ends so; empty: none
    /_bench/doubles?on=1          keeps two copies of each message, the second one a little later every other time
    /_bench/forget                has no messages, and none of these faults
"""

import argparse
import asyncio
import signal
from itertools import cycle
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench.sqs_server.__main__ import CONTROL, Connection, Server
from bench.sqs_server.queues import Message, Queue, Queues

# Beside the first copy, which another worker thread then takes at the same moment, and after it was done.
COPY_AFTER_S = (None, 1.0)


class FaultyQueue(Queue):
    """A queue that may lose what it takes, or keep it twice."""

    def __init__(self, name: str, server: "FaultyQueues") -> None:
        super().__init__(name, server)
        self._faults = server
        self._copy_after = cycle(COPY_AFTER_S)

    def send(self, body: str, delay: float | None) -> Message:
        """As told."""
        if self._faults.loses and self.name.endswith(self._faults.loses):
            self._faults.lost += 1
            return Message(body)
        if self._faults.doubles:
            super().send(body, next(self._copy_after))
        return super().send(body, delay)


class FaultyQueues(Queues):
    """All queues, and what they do to messages."""

    def __init__(self) -> None:
        super().__init__()
        self.loses = ""
        self.lost = 0
        self.doubles = False

    def create(self, name: str, attributes: dict[str, Any]) -> Queue:
        """Make a queue or change an existing one's attributes."""
        queue = self.by_name.setdefault(name, FaultyQueue(name, self))
        queue.attributes.update(attributes)
        return queue


class FaultyServer(Server):
    """Knows its connections, so that it can break them."""

    def __init__(self, port: int) -> None:
        super().__init__(port, 0.0)
        self.port = port
        self.queues: FaultyQueues = FaultyQueues()
        self._connections: set[asyncio.BaseTransport] = set()
        self._listening: asyncio.Server | None = None
        self._returning: asyncio.Task[None] | None = None

    def control(self, path: str) -> dict[str, Any]:
        """The bench's, and the faults."""
        parts = urlsplit(path)
        given = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match parts.path.removeprefix(CONTROL):
            case "away":
                self._returning = asyncio.ensure_future(self._away(float(given["s"])))
            case "loses":
                self.queues.loses = given.get("queue", "")
            case "doubles":
                self.queues.doubles = given.get("on") == "1"
            case "forget":
                self.queues.loses, self.queues.doubles = "", False
                for queue in self.queues.by_name.values():
                    queue.purge()
            case "counts":
                return {**super().control(path), "lost": self.queues.lost}
            case _:
                return super().control(path)
        return {}

    async def listen(self) -> None:
        """Accept connections."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(lambda: Watched(self), "127.0.0.1", self.port, backlog=512)

    def connected(self, transport: asyncio.BaseTransport) -> None:
        """A connection was made."""
        self._connections.add(transport)

    def disconnected(self, transport: asyncio.BaseTransport) -> None:
        """A connection was lost."""
        self._connections.discard(transport)

    async def _away(self, seconds: float) -> None:
        await asyncio.sleep(0.05)  # whoever asked for it gets his answer
        assert self._listening
        self._listening.close()
        for transport in list(self._connections):
            transport.close()
        await asyncio.sleep(seconds)
        await self.listen()


class Watched(Connection):
    """A connection that the server knows of."""

    def __init__(self, server: FaultyServer) -> None:
        super().__init__(server)
        self._owner = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note it."""
        super().connection_made(transport)
        self._owner.connected(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._owner.disconnected(self._transport)


async def serve(port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await FaultyServer(port).listen()
    await ended.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(serve(parser.parse_args().port))
