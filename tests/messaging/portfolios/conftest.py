"""The sandbox as Meta, and the pipeline's settings for it."""

from collections.abc import Iterator
from typing import Any

import pytest

from messaging.whatsapp.graph import GraphApi
from tests.messaging.sandbox.conftest import only_receiver, only_sandbox, receiver, sandbox  # noqa: F401
from tests.messaging.sandbox.process import NUMBER, TOKEN, Sandbox


@pytest.fixture
def meta_api(sandbox: Sandbox, settings: Any) -> Iterator[GraphApi]:  # noqa: F811
    """The client of the sandbox, which the settings name too."""
    settings.WA_GRAPH_URL, settings.WA_ACCESS_TOKEN = f"http://127.0.0.1:{sandbox.port}", TOKEN
    settings.WA_PHONE_NUMBER_ID = NUMBER
    client = GraphApi(settings.WA_GRAPH_URL, "v25.0", TOKEN)
    yield client
    client.close()
