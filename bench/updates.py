"""Webhooks as Meta sends them: statuses of what was sent, and messages of users; signed, ready to be written."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from bench import load
from messaging.sandbox.envelopes import inbound_envelope, status_envelope
from messaging.sandbox.ledger import Entry
from messaging.sandbox.settings import STATUSES, Identity
from messaging.sandbox.users import user_with_phone
from messaging.sandbox.validation import OutboundMessage
from messaging.sandbox.wamid import inbound_wamid
from messaging.sandbox.webhooks import encode
from messaging.whatsapp import signature

PATH = "/webhook/whatsapp"
WEBHOOK_BYTES = 1024
# When each status of a message follows, in webhooks of the stream: at 240 a second after 0, 0.2 and 0.5 s.
AFTER = {"sent": 0, "delivered": 48, "read": 120}


def inbound(env: Mapping[str, str], count: int) -> list[bytes]:
    """Messages of users, each a webhook of 1 KB."""
    made_at = int(time.time())
    return [_signed(env, _inbound(env, n, made_at)) for n in range(count)]


def statuses(env: Mapping[str, str], entries: Sequence[dict[str, Any]]) -> list[bytes]:
    """sent, delivered and read of each message of the ledger, a webhook each, interleaved as in life."""
    due = sorted((n * len(STATUSES) + AFTER[status], n, status) for n in range(len(entries)) for status in STATUSES)
    return [_signed(env, _status(env, entries[n], status)) for _, n, status in due]


def many_statuses(env: Mapping[str, str], entries: Sequence[dict[str, Any]], status: str) -> bytes:
    """One webhook with this status of each message."""
    first, *others = [_status(env, entry, status) for entry in entries]
    for other in others:
        first["entry"] += other["entry"]
    return _signed(env, first)


def _signed(env: Mapping[str, str], payload: dict[str, Any]) -> bytes:
    body = encode(payload)
    headers = {signature.HEADER: signature.sign(body, env["WA_APP_SECRET"])}
    return load.request(env["BASE_URL"] + PATH, body, headers)


def _identity(env: Mapping[str, str]) -> Identity:
    return Identity(env["WA_PHONE_NUMBER_ID"], "15550783881", "102290129340398", "", "", "")


def _status(env: Mapping[str, str], sent: dict[str, Any], status: str) -> dict[str, Any]:
    user = user_with_phone(sent["to"])
    message = OutboundMessage(user, sent["to"], sent["type"], sent["biz_opaque_callback_data"], {})
    entry = Entry(sent["wamid"], message, sent["phone_number_id"], sent["received_at"], sent["accepted_at"])
    return status_envelope(_identity(env), entry, status, time.time())


def _inbound(env: Mapping[str, str], n: int, made_at: int) -> dict[str, Any]:
    user = user_with_phone(f"1557{n % 10_000:07}")
    message: dict[str, Any] = {"id": inbound_wamid(user.address), "timestamp": str(made_at), "type": "text"}
    payload = inbound_envelope(_identity(env), user, "Ann", {**message, "text": {"body": ""}})
    padding = max(1, WEBHOOK_BYTES - len(json.dumps(payload, separators=(",", ":"))))
    return inbound_envelope(_identity(env), user, "Ann", {**message, "text": {"body": "x" * padding}})
