"""What a developer reads who asked for the wrong thing: a list of sentences by field, or one sentence in `detail`."""

from typing import Any
from uuid import UUID

import pytest
from rest_framework.test import APIClient

NOBODYS = UUID(int=1)
GOOD = {"phone_number": "+15551230001", "message_type": "text", "message_data": {"content": "Hi!"}}


ASKED: list[tuple[str, str, Any]] = [
    ("post", "/messaging/send", {**GOOD, "sendat": "now"}),
    ("post", "/messaging/send", {**GOOD, "priority": 1, "sendat": "now"}),
    ("get", f"/messaging/messages/{NOBODYS}", None),
    ("post", f"/messaging/messages/{NOBODYS}/cancel", {}),
    ("get", "/monitoring/dlq/outgoing", None),
]
SAID: list[tuple[int, str, Any]] = [
    (400, "sendat", ["Unknown field."]),
    (400, "sendat", ["Unknown field."]),
    (404, "detail", "No message has this id."),
    (404, "detail", "No message has this id."),
    (
        403,
        "detail",
        "Dead-letter queues hold the messages of all clients: this needs an operator's key or account.",
    ),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("asked", "said"), list(zip(ASKED, SAID, strict=True)))
def test_an_error_says_what_is_wrong(api: APIClient, asked: tuple[str, str, Any], said: tuple[int, str, Any]) -> None:
    method, path, body = asked
    answer = getattr(api, method)(path, body, format="json")
    status, name, words = said
    assert (answer.status_code, answer.json()[name]) == (status, words)
