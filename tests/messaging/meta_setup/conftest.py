"""A connected installation: the sandbox as Meta, and our own callback behind a live server."""

from collections.abc import Iterator
from typing import Any

import pytest

from messaging.meta_setup.checks import WANTED_FIELDS
from messaging.meta_setup.run_checks import app_api, callback_url
from tests.messaging.sandbox.conftest import only_receiver, only_sandbox, receiver, sandbox  # noqa: F401
from tests.messaging.sandbox.graph_api.calls import APP, APP_TOKEN, call
from tests.messaging.sandbox.process import APP_SECRET, NUMBER, TOKEN, Sandbox


@pytest.fixture
def meta(sandbox: Sandbox, settings: Any, live_server: Any) -> Iterator[Sandbox]:  # noqa: F811
    """The sandbox, which the settings name; nothing is subscribed yet."""
    settings.WA_GRAPH_URL, settings.WA_ACCESS_TOKEN = f"http://127.0.0.1:{sandbox.port}", TOKEN
    settings.WA_PHONE_NUMBER_ID, settings.WA_APP_SECRET = NUMBER, APP_SECRET
    settings.BASE_URL = live_server.url
    yield sandbox
    sandbox.post("/_sandbox/reset")
    call(sandbox, "DELETE", f"{APP}/subscriptions", token=APP_TOKEN)


@pytest.fixture
def connected(meta: Sandbox, settings: Any) -> Sandbox:
    """The same, connected."""
    app = app_api(APP)
    app.subscribe(APP, callback_url(), settings.WA_WEBHOOK_VERIFY_TOKEN, WANTED_FIELDS)
    app.close()
    return meta
