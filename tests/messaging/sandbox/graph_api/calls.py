"""Calls of the account's endpoints."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from ..process import APP_SECRET, NUMBER, OTHER_NUMBER, TOKEN, Sandbox

WABA, APP = "102290129340398", "670843887433847"
APP_TOKEN = f"{APP}|{APP_SECRET}"
NUMBERS = [NUMBER, OTHER_NUMBER]


def call(
    sandbox: Sandbox, method: str, path: str, body: object = None, token: str = TOKEN, **query: object
) -> tuple[int, Any]:
    """The HTTP status and the JSON of a call under /v25.0/."""
    asked = f"?{urlencode(query)}" if query else ""
    return sandbox.request(method, f"/v25.0/{path}{asked}", body, token)


def get(sandbox: Sandbox, path: str, **query: object) -> Any:
    """The JSON of a GET that succeeds."""
    status, answer = call(sandbox, "GET", path, None, TOKEN, **query)
    assert status == 200, answer
    return answer


def refusal(answer: tuple[int, Any]) -> tuple[int, int, int | None]:
    """HTTP status, code and subcode of a refused call."""
    status, body = answer
    return status, body["error"]["code"], body["error"].get("error_subcode")
