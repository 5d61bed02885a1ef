"""The sandbox as its own process, and a client of it."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests import warm_python
from tests.waiting import PATIENCE_S

TOKEN = "test-token"
APP_SECRET = "test-app-secret"
NUMBER = "106540352242922"
ROOT = Path(__file__).resolve().parents[3]
OTHER_NUMBER = "106540352242923"


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start the sandbox with this environment and nothing else of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SANDBOX_", "WA_"))}
    return warm_python.Popen(
        [sys.executable, "-m", "messaging.sandbox", *arguments],
        cwd=ROOT,
        env={**kept, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )


def start_with_secrets(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return start(*arguments, WA_ACCESS_TOKEN=TOKEN, WA_APP_SECRET=APP_SECRET, **environment)


def started_port(process: subprocess.Popen[str]) -> int:
    """The port in the one line that the sandbox logs at its start."""
    assert process.stderr
    line = process.stderr.readline()
    found = re.search(r"127\.0\.0\.1:(\d+),", line)
    assert found, line
    return int(found[1])


class Sandbox:
    """A client: each call gives the HTTP status and the JSON of the answer."""

    def __init__(self, port: int) -> None:
        self.port = port

    def request(self, method: str, path: str, body: object = None, token: str = TOKEN) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, path, data, {"Authorization": f"Bearer {token}"})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def post(self, path: str, body: object = None) -> Any:
        status, answer = self.request("POST", path, body)
        assert status == 200, answer
        return answer

    def send(self, **changes: object) -> str:
        """Send a text message; its wamid."""
        answer = self.post(f"/v25.0/{NUMBER}/messages", {**text_message(), **changes})
        wamid: str = answer["messages"][0]["id"]
        return wamid

    def send_without_waiting(self) -> http.client.HTTPConnection:
        """The connection of a send whose answer has not been read."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        body, headers = json.dumps(text_message()), {"Authorization": f"Bearer {TOKEN}"}
        connection.request("POST", f"/v25.0/{NUMBER}/messages", body, headers)
        return connection

    def ledger(self, query: str = "") -> Any:
        return self.request("GET", f"/_sandbox/ledger{query}")[1]


def text_message() -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "to": "15551230001", "type": "text", "text": {"body": "Hello"}}
