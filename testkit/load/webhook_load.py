"""Signed webhooks as bytes of HTTP requests: statuses of what was sent, and messages of users."""

import time
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from testkit.load import http_load, webhooks

WEBHOOK_BYTES = 1024
STATUSES = ("sent", "delivered", "read")
# When each status of a message follows, in webhooks of the stream: at 240 a second after 0, 0.2 and 0.5 s.
AFTER = {"sent": 0, "delivered": 48, "read": 120}
USERS = 10_000
_numbers = count()


def inbound(env: Mapping[str, str], number: int) -> list[bytes]:
    """So many messages of users, each in a webhook of 1 KB."""
    return [request for request, _ in inbound_with_wamids(env, number)]


def inbound_with_wamids(env: Mapping[str, str], number: int) -> list[tuple[bytes, str]]:
    """The same, each with its wamid."""
    at = int(time.time())
    made = []
    for _ in range(number):
        user, wamid = f"1557{next(_numbers) % USERS:07}", webhooks.new_wamid()
        bare = len(webhooks.body(env["WA_PHONE_NUMBER_ID"], [webhooks.inbound(user, wamid, at, "")], "Ann"))
        update = webhooks.inbound(user, wamid, at, "x" * max(1, WEBHOOK_BYTES - bare))
        made.append((_signed(env, [update], "Ann"), wamid))
    return made


def statuses(env: Mapping[str, str], entries: Sequence[dict[str, Any]]) -> list[bytes]:
    """sent, delivered and read of each message of the ledger, a webhook each, interleaved as in life."""
    due = sorted((n * len(STATUSES) + AFTER[status], n, status) for n in range(len(entries)) for status in STATUSES)
    return [_signed(env, [_status(entries[n], status)]) for _, n, status in due]


def many_statuses(env: Mapping[str, str], entries: Sequence[dict[str, Any]], status: str) -> bytes:
    """One webhook with this status of each message."""
    return _signed(env, [_status(entry, status) for entry in entries])


def _signed(env: Mapping[str, str], updates: Sequence[webhooks.Update], name: str = "") -> bytes:
    body = webhooks.body(env["WA_PHONE_NUMBER_ID"], updates, name)
    return http_load.request(env["BASE_URL"] + webhooks.PATH, body, webhooks.headers(body, env["WA_APP_SECRET"]))


def _status(entry: dict[str, Any], status: str) -> webhooks.Update:
    callback_data = entry["biz_opaque_callback_data"]
    return webhooks.status(entry["to"], entry["wamid"], status, int(time.time()), callback_data)
