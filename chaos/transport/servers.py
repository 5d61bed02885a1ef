"""The SQS servers that the transport is tried against: the bench's counting one, and the one of a local run."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from bench.sqs_server.process import SqsServer
from chaos.guard import Guard
from chaos.processes import free_ports
from deploy.local.sqs import Sqs


@contextmanager
def counting(directory: Path, guard: Guard) -> Iterator[int]:
    """Gives the port. It ends by itself when its parent is gone."""
    with SqsServer() as server:
        yield server.port


@contextmanager
def ministack(directory: Path, guard: Guard) -> Iterator[int]:
    """Gives the port."""
    server = Sqs(directory / "sqs", free_ports(["SQS_PORT"])["SQS_PORT"])
    server.start()
    pid = server.pid or 0
    guard.watch(pid)
    try:
        yield server.port
    finally:
        server.kill()
        guard.forget(pid)


SERVERS: Mapping[str, Callable[[Path, Guard], AbstractContextManager[int]]] = {
    "counting": counting,
    "ministack": ministack,
}
