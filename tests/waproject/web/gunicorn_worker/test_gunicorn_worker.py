"""How long a connection may take to send a request. tests/waproject/web/test_server.py has the running process."""

import socket
from collections.abc import Iterator
from resource import RLIM_INFINITY
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]

from waproject.web.gunicorn_worker import Connection, raised_limits

HEAD = b"POST /webhook/whatsapp HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A connection that was accepted at the monotonic time 1000."""
    owner: Any = SimpleNamespace(cfg=Config())
    ours, theirs = socket.socketpair()
    with ours, theirs:
        conn = Connection(owner, ours, ("127.0.0.1", 1), ("127.0.0.1", 2))
        conn.began = 1000.0
        yield conn


@pytest.mark.parametrize(
    ("sent", "ends"),
    [
        (b"", 1010.0),
        (HEAD[:30], 1010.0),
        (HEAD[:-1], 1010.0),
        # 30 seconds for the body, and one for each 100 KB that has arrived.
        (HEAD.ljust(102_400, b"x"), 1041.0),
        (HEAD.ljust(512_000, b"x"), 1045.0),
    ],
    ids=["nothing", "a part of the head", "the head but for a byte", "100 KB", "500 KB"],
)
def test_a_body_has_its_own_time_after_the_ten_seconds_of_a_head(
    sent: bytes, ends: float, connection: Connection
) -> None:
    connection.buffer.feed(sent)
    assert connection.deadline == pytest.approx(ends, abs=0.1)


@pytest.mark.parametrize(
    ("soft", "hard", "expected"),
    [
        (1024, 524_288, (8192, 524_288)),
        (1024, 4096, (4096, 4096)),
        (1024, RLIM_INFINITY, (8192, RLIM_INFINITY)),
        (8192, 8192, (8192, 8192)),
        (65_536, 65_536, (65_536, 65_536)),
        (RLIM_INFINITY, RLIM_INFINITY, (RLIM_INFINITY, RLIM_INFINITY)),
    ],
)
def test_a_process_may_open_as_many_files_as_it_may_have_connections(
    soft: int, hard: int, expected: tuple[int, int]
) -> None:
    assert raised_limits(soft, hard) == expected
