"""Webhooks as Meta sends them, built without the sandbox: updates, bodies, signatures, and a sender with retries."""

import base64
import hmac
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import requests

PATH = "/webhook/whatsapp"
SIGNATURE = "X-Hub-Signature-256"
BUSINESS_NUMBER = "15550783881"
WABA_ID = "102290129340398"
ANSWER_S = 10.0
GIVE_UP_S = 120.0
AGAIN_S = 0.25
OK = 200

# (key of the change's value, update)
Update = tuple[str, dict[str, Any]]


def new_wamid() -> str:
    """A message id of the form and length of Meta's."""
    return "wamid." + base64.b64encode(b"\x1c\x18\x0b" + uuid.uuid4().bytes * 2).decode()


def inbound(user: str, wamid: str, at: int, text: str = "Hello!") -> Update:
    """A text message from a user, a phone number in digits."""
    message = {"from": user, "id": wamid, "timestamp": str(at), "type": "text", "text": {"body": text}}
    return "messages", message


def echo(user: str, wamid: str, at: int) -> Update:
    """A message that the business sent with its phone app."""
    return "message_echoes", {
        "from": BUSINESS_NUMBER, "to": user, "id": wamid, "timestamp": str(at), "type": "text",
        "text": {"body": "Hello!"},
    }  # fmt: skip


def status(user: str, wamid: str, state: str, at: int, callback_data: str = "") -> Update:
    """A status of a message to this user; `callback_data` is what its send carried."""
    update: dict[str, Any] = {"id": wamid, "status": state, "timestamp": str(at), "recipient_id": user}
    if callback_data:
        update["biz_opaque_callback_data"] = callback_data
    # Meta states the price of sent and delivered, and does not repeat it with read.
    if state != "read":
        pricing = {"billable": False, "pricing_model": "PMP", "type": "free_customer_service", "category": "service"}
        update["pricing"] = pricing
    return "statuses", update


def body(number_id: str, updates: Sequence[Update], name: str = "") -> bytes:
    """A webhook with these updates in order; consecutive updates of one kind share a change.

    name: the profile name of the messages' senders, which Meta always sends; empty omits the contacts.
    """
    changes: list[dict[str, Any]] = []
    for key, update in updates:
        if not changes or key not in changes[-1]["value"]:
            metadata = {"display_phone_number": BUSINESS_NUMBER, "phone_number_id": number_id}
            field = "smb_message_echoes" if key == "message_echoes" else "messages"
            value = {"messaging_product": "whatsapp", "metadata": metadata, key: []}
            changes.append({"field": field, "value": value})
        value = changes[-1]["value"]
        value[key].append(update)
        if name and key == "messages":
            value.setdefault("contacts", []).append({"profile": {"name": name}, "wa_id": update["from"]})
    entry = {"id": WABA_ID, "changes": changes}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}, separators=(",", ":")).encode()


def headers(raw: bytes, app_secret: str) -> dict[str, str]:
    """Meta's signature: the HMAC-SHA256 of the raw bytes with the app secret."""
    return {SIGNATURE: "sha256=" + hmac.digest(app_secret.encode(), raw, "sha256").hex()}


class WebhookSender:
    """Posts webhooks to a pipeline and, as Meta does, repeats them until the answer is 200."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._url, self._secret, self._number_id = (
            env["BASE_URL"] + PATH,
            env["WA_APP_SECRET"],
            env["WA_PHONE_NUMBER_ID"],
        )
        self._session = requests.Session()
        self._session.trust_env = False

    def post(self, updates: Sequence[Update]) -> int:
        """Post a webhook until the answer is 200. Returns the number of other answers; raises RuntimeError at last."""
        raw = body(self._number_id, updates)
        until, refused = time.monotonic() + GIVE_UP_S, 0
        while not self._accepted(raw):
            refused += 1
            if time.monotonic() > until:
                raise RuntimeError(f"a webhook was not answered 200 within {GIVE_UP_S:.0f} s")
            time.sleep(AGAIN_S)
        return refused

    def _accepted(self, raw: bytes) -> bool:
        given = {"Content-Type": "application/json", **headers(raw, self._secret)}
        try:
            answer = self._session.post(self._url, raw, headers=given, timeout=ANSWER_S)
        except requests.RequestException:
            return False
        return answer.status_code == OK
