"""Webhooks as Meta would send them, made here, signed and posted until they are answered 200."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import requests

from messaging.whatsapp import signature

ANSWER_S = 10.0
GIVE_UP_S = 120.0
AGAIN_S = 0.25
OK = 200


def inbound(number: int, at: int) -> dict[str, Any]:
    """A user's message."""
    return {"from": _user(number), "id": f"wamid.in{number}", "timestamp": str(at), "type": "text",
            "text": {"body": "Hello!"}}  # fmt: skip


def echo(number: int, at: int) -> dict[str, Any]:
    """A message that the business wrote with its phone app."""
    return {"from": "15550783881", "to": _user(number), "id": f"wamid.out{number}", "timestamp": str(at),
            "type": "text", "text": {"body": "Hello!"}}  # fmt: skip


def status(number: int, state: str, at: int) -> dict[str, Any]:
    """What became of that one."""
    return {"id": f"wamid.out{number}", "status": state, "timestamp": str(at), "recipient_id": _user(number)}


def body(env: Mapping[str, str], updates: Sequence[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """One body with these updates, (key of the value, update), in their order: a change for each run of a kind."""
    changes: list[dict[str, Any]] = []
    for key, update in updates:
        if not changes or key not in changes[-1]["value"]:
            metadata = {"display_phone_number": "15550783881", "phone_number_id": env["WA_PHONE_NUMBER_ID"]}
            field = "smb_message_echoes" if key == "message_echoes" else "messages"
            value = {"messaging_product": "whatsapp", "metadata": metadata, key: []}
            changes.append({"field": field, "value": value})
        changes[-1]["value"][key].append(update)
    return {"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": changes}]}


class Meta:
    """Posts webhooks."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._session = requests.Session()
        self._session.trust_env = False

    def post(self, updates: Sequence[tuple[str, dict[str, Any]]]) -> int:
        """Post one, again until it is answered 200; how often it was not. Raises RuntimeError when it never is."""
        raw = json.dumps(body(self._env, updates)).encode()
        signed = signature.sign(raw, self._env["WA_APP_SECRET"])
        headers = {"Content-Type": "application/json", signature.HEADER: signed}
        until, refused = time.monotonic() + GIVE_UP_S, 0
        while not self._taken(raw, headers):
            refused += 1
            if time.monotonic() > until:
                raise RuntimeError(f"a webhook was not taken within {GIVE_UP_S:.0f} s")
            time.sleep(AGAIN_S)
        return refused

    def _taken(self, raw: bytes, headers: Mapping[str, str]) -> bool:
        url = f"{self._env['BASE_URL']}/webhook/whatsapp"
        try:
            answer = self._session.post(url, raw, headers=dict(headers), timeout=ANSWER_S)
        except requests.RequestException:
            return False
        return answer.status_code == OK


def _user(number: int) -> str:
    return f"1555{3_000_000 + number}"
