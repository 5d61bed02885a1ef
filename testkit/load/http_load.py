"""HTTP load over open connections, at a fixed rate or as fast as the server answers.

A latency counts from the moment its request was due, not from when a connection was free, so it includes the wait
behind requests that piled up at a slow server.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

CONNECTIONS = 32
ANSWER_S = 30.0


class UnexpectedAnswer(Exception):
    """The server answered a request with another status than the load requires."""


@dataclass(slots=True)
class Answers:
    """Answers in the order of their requests: latencies in seconds, HTTP statuses (0: no answer), bodies, due times."""

    latencies: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    due: list[float] = field(default_factory=list)  # unix seconds
    seconds: float = 0.0

    def add(self, due: float) -> None:
        """A request that has no answer yet."""
        self.latencies.append(0.0)
        self.statuses.append(0)
        self.bodies.append(b"")
        self.due.append(due)

    def milliseconds(self) -> list[float]:
        """Latencies in milliseconds."""
        return [latency * 1000 for latency in self.latencies]

    def require(self, status: int) -> "Answers":
        """Raises UnexpectedAnswer where one has another status."""
        others = [found for found in self.statuses if found != status]
        if others:
            raise UnexpectedAnswer(
                f"{len(others)} of {len(self.statuses)} requests were answered {others[0]}, not {status}"
            )
        return self


def request(url: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> bytes:
    """The bytes of a request with a JSON body."""
    parts = urlsplit(url)
    lines = [f"{method} {parts.path} HTTP/1.1", f"Host: {parts.netloc}", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def run(url: str, requests: Sequence[bytes], per_s: float | None, connections: int = CONNECTIONS) -> Answers:
    """Make all requests at `per_s` a second; None: each as soon as a connection is free."""
    return asyncio.run(load(url, requests, per_s, connections))


async def load(
    url: str,
    requests: Sequence[bytes],
    per_s: float | None,
    connections: int = CONNECTIONS,
    *,
    stop: asyncio.Event | None = None,
    answered: Callable[[int], object] = bool,
) -> Answers:
    """The same in an event loop. After `stop` it begins no request; `answered` is called with each status."""
    parts = urlsplit(url)
    free: asyncio.Queue[_Connection] = asyncio.Queue()
    for _ in range(min(connections, len(requests))):
        free.put_nowait(_Connection(parts.hostname or "", parts.port, tls=parts.scheme == "https"))
    answers = Answers()
    begin = time.time()

    async def one(index: int, connection: _Connection) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                answers.statuses[index], answers.bodies[index] = await connection.ask(requests[index])
        except (OSError, EOFError, ValueError, TimeoutError, asyncio.LimitOverrunError):
            connection.close()  # status 0: no answer, or one that is no HTTP
        answers.latencies[index] = time.time() - answers.due[index]
        answered(answers.statuses[index])
        free.put_nowait(connection)

    async with asyncio.TaskGroup() as tasks:
        for index in range(len(requests)):
            due = begin + index / per_s if per_s else None
            if due:
                await asyncio.sleep(due - time.time())
            connection = await free.get()
            if stop and stop.is_set():
                free.put_nowait(connection)
                break
            answers.add(due or time.time())
            tasks.create_task(one(index, connection))
    answers.seconds = time.time() - begin
    while not free.empty():
        free.get_nowait().close()
    return answers


class _Connection:
    """One connection, opened on first use and reopened after a failure."""

    def __init__(self, host: str, port: int | None, *, tls: bool) -> None:
        self._host, self._port = host, port or (443 if tls else 80)
        self._tls = ssl.create_default_context() if tls else None
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, data: bytes) -> tuple[int, bytes]:
        """Send a request; its status and body. Raises OSError, EOFError or ValueError."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
        reader, writer = self._streams
        writer.write(data)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0] or 0)
        body = await reader.readexactly(length) if length else b""
        if "connection: close" in head or "transfer-encoding:" in head:
            self.close()
        return int(head.partition(" ")[2][:3]), body

    def close(self) -> None:
        """Close it."""
        if self._streams:
            self._streams[1].close()
            self._streams = None
