"""A small checkout, and the loopback that these tests need."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.ports import free_port


@pytest.fixture
def port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on."""
    return free_port()


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A TCP port that another program listens on, on all addresses."""
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))  # noqa: S104 - a listener on all addresses is the case
        other.listen()
        yield int(other.getsockname()[1])


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A directory with a Procfile."""
    (tmp_path / "Procfile").write_text("web: serve --port $PORT\nincoming: work -Q incoming\n")
    return tmp_path
