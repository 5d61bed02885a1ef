"""A server on this machine, and a client that calls it with short times."""

from collections.abc import Iterator

import pytest

from messaging.whatsapp.client import CloudApi
from tests.messaging.whatsapp.calls import TOKEN
from tests.messaging.whatsapp.wire import Server


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture
def api(server: Server) -> Iterator[CloudApi]:
    with_short_times = CloudApi(
        server.url, "v26.0", TOKEN, connect_timeout=0.3, read_timeout=0.3, total_timeout=1.2, pool_size=50
    )
    yield with_short_times
    with_short_times.close()
