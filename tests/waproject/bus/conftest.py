"""A bus with queues of its own on the real SQS server."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from waproject.bus import control, messages, queues
from waproject.bus.addresses import Addresses


@pytest.fixture
def bus(sqs_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Addresses]:
    """The configured bus, its process without a reply queue yet; all its queues are deleted in the end."""
    settings.SQS_MONITOR_QUEUE_URL = f"{sqs_server.endpoint_url}/000000000000/bus-{uuid4().hex[:8]}"
    settings.SQS_WAIT_TIME_S = 1
    monkeypatch.setattr(control, "_own", {})
    messages._client.cache_clear()
    found = queues.bus()
    yield found
    for prefix in (found.nodes_prefix, found.replies_prefix):
        for name in queues.names(prefix):
            queues.delete(found.named(name))
    messages._client.cache_clear()
