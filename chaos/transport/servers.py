"""The SQS servers of the transport's scenarios: the test kit's counting one, and ministack, that of a local run."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from deploy.local.sqs import Sqs
from testkit.guard import Guard
from testkit.ports import free_ports
from testkit.sqs_server import SqsServer


@contextmanager
def counting(directory: Path, guard: Guard) -> Iterator[int]:
    """Yield the port. The server ends by itself when its parent is gone."""
    with SqsServer() as server:
        yield server.port


@contextmanager
def ministack(directory: Path, guard: Guard) -> Iterator[int]:
    """Yield the port."""
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
