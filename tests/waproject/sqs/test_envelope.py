"""The check that a message is a task."""

import base64
import json
from typing import Any

import pytest

from waproject.sqs.envelope import MalformedMessage, check

TASKS = {"messaging.send"}
BODY = json.dumps([["release", []], {}, {}])
DEEP_IN_UTF_16 = base64.b64encode(f'[["\u0122",{"[" * 480}{"]" * 480}], {{}}, {{}}]'.encode("utf-16")).decode()


def payload(**changes: Any) -> dict[str, Any]:
    good = {
        "body": BODY,
        "content-type": "application/json",
        "headers": {"id": "1", "task": "messaging.send"},
        "properties": {"body_encoding": None},
    }
    return {**good, **changes}


def test_a_task_of_this_queue_passes() -> None:
    check(payload(), TASKS)


def test_a_base64_body_passes() -> None:
    encoded = base64.b64encode(BODY.encode()).decode()
    check(payload(body=encoded, properties={"body_encoding": "base64"}), TASKS)


MALFORMED: list[dict[str, Any]] = [
    {"headers": None},
    {"headers": {}},
    {"headers": {"task": "messaging.send"}},
    {"headers": {"id": "1"}},
    {"headers": {"id": "1", "task": "os.system"}},
    {"headers": {"id": 1, "task": ["messaging.send"]}},
    {"headers": {"id": "a\0b", "task": "messaging.send"}},
    {"headers": {"id": "a\ud800b", "task": "messaging.send"}},
    {"content-type": "application/x-python-serialize"},
    {"content-type": None},
    {"body": None},
    {"body": 7},
    {"body": "gASVBAAAAAAAAABdlC4="},
    {"body": "[" * 100_000},
    {"body": f"[[{'[' * 480}{']' * 480}], {{}}, {{}}]"},
    {"body": f"[[{'9' * 101}], {{}}, {{}}]"},
    {"body": f"[[{'[],' * 200_000}[]], {{}}, {{}}]"},
    {"body": json.dumps({"a": 1})},
    {"body": json.dumps([[], {}])},
    {"body": json.dumps(["text", {}, {}])},
    {"body": json.dumps([[], [], {}])},
    {"body": "%%%", "properties": {"body_encoding": "base64"}},
    {"body": DEEP_IN_UTF_16, "properties": {"body_encoding": "base64"}},
    {"properties": {"body_encoding": "rot13"}},
]


@pytest.mark.parametrize("changes", MALFORMED, ids=lambda changes: str(changes)[:40])
def test_every_other_message_is_refused_with_the_name_of_its_fault(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedMessage):
        check(payload(**changes), TASKS)


def test_the_fault_never_quotes_the_message() -> None:
    with pytest.raises(MalformedMessage) as caught:
        check(payload(headers={"id": "1", "task": "secret words"}), TASKS)
    assert "secret" not in str(caught.value)
