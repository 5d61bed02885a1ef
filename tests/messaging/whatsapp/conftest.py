"""A server on this machine, and clients that call it."""

from collections.abc import Iterator

import pytest

from messaging.whatsapp.client import CloudApi
from tests.messaging.whatsapp.calls import TOKEN
from tests.messaging.whatsapp.wire import Server
from tests.waiting import PATIENCE_S


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture
def api(server: Server) -> Iterator[CloudApi]:
    """Waits for the answer however busy the machine is."""
    patient = CloudApi(
        server.url, "v26.0", TOKEN, connect_timeout=PATIENCE_S, read_timeout=PATIENCE_S, total_timeout=2 * PATIENCE_S
    )
    yield patient
    patient.close()


@pytest.fixture
def hasty_api(server: Server) -> Iterator[CloudApi]:
    """Soon gives up waiting for an answer."""
    hasty = CloudApi(server.url, "v26.0", TOKEN, connect_timeout=PATIENCE_S, read_timeout=0.3, total_timeout=1.2)
    yield hasty
    hasty.close()
