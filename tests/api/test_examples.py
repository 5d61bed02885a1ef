"""The examples of docs/api.md, run as they stand."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from messaging.accepting.sending_numbers import sending_number
from messaging.conversations import read_receipts
from messaging.incoming.store import receive
from messaging.models import Message
from tests.messaging.bodies import inbound_text, webhook
from tests.messaging.whatsapp.wire import Server, answering, http

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "api.md"
# Everything after the first block, which reads the environment of `make run`.
BLOCKS = re.findall(r"^```sh\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
SET_UP = 'auth="Authorization: Bearer $API_KEY" json="Content-Type: application/json"\n'


@pytest.fixture
def meta(settings: Any) -> Iterator[None]:
    """Takes read receipts."""
    server = Server()
    server.behaviour = answering(http(body={"success": True}))
    settings.WA_GRAPH_URL = server.url
    read_receipts._api.cache_clear()
    yield
    server.close()
    read_receipts._api.cache_clear()


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples are curl's")
@pytest.mark.django_db(transaction=True)
def test_every_example_is_answered_as_the_page_says(live_server: Any, api_key: str, sqs: Any, meta: None) -> None:
    sending_number()
    receive(webhook(inbound_text()))
    examples = "\n".join(BLOCKS[1:])
    script = SET_UP + examples.replace("curl -sS", "curl -sS -o /dev/stderr -w '%{http_code} '", examples.count("curl"))
    # The one whose output the page itself reads keeps it.
    script = re.sub(r"\$\(curl -sS -o /dev/stderr -w '%{http_code} '", "$(curl -sS", script)
    environment = {**os.environ, "BASE_URL": live_server.url, "API_KEY": api_key, "no_proxy": "*"}
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    every_type = ["202"] * script.count("\nas_ann '")
    expected = "202 202 200 200 200 200 200 409 200 200 200 202 202 200 200 200"
    assert ran.stdout.split() == ["202", "202", *every_type, "202", *expected.split()], ran.stderr
    assert "Idempotent-Replayed: true" in ran.stderr
    assert Message.objects.count() == 5 + len(every_type) + 1


def test_the_page_begins_with_what_make_run_writes() -> None:
    assert ". var/local.env" in BLOCKS[0]
    assert SET_UP.strip() in BLOCKS[0]
