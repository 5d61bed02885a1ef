"""Which statuses a message gets, in which order, and their place beside the answer of the send."""

from __future__ import annotations

import select
from typing import Any

import pytest

from messaging.sandbox.settings import Behaviour
from messaging.sandbox.webhooks.status_plan import plan_of

from ..process import Sandbox
from ..receiver import Receiver

VOICE = ("audio", {"link": "https://example.com/a.ogg", "voice": True})
TEXT = ("text", {"body": "Hi"})
USUAL = [("sent", 100), ("delivered", 300), ("read", 600)]


@pytest.mark.parametrize(
    ("message", "settings", "failure", "expected"),
    [
        (TEXT, {}, None, USUAL),
        (TEXT, {"read": False}, None, USUAL[:2]),
        (TEXT, {"status_delays_ms": (300, 100, 200)}, None, [("delivered", 100), ("read", 200), ("sent", 300)]),
        (TEXT, {"skip_delivered": 1}, None, [("sent", 100), ("read", 600)]),
        (TEXT, {"skip_delivered": 1, "read": False}, None, USUAL[:2]),
        (VOICE, {}, None, [*USUAL, ("played", 900)]),
        (VOICE, {"played": False}, None, USUAL),
        (VOICE, {"read": False}, None, USUAL[:2]),
        (("audio", {"link": "https://example.com/a.mp3"}), {}, None, USUAL),
        (("audio", {"link": "https://example.com/a.mp3", "voice": False}), {}, None, USUAL),
        (TEXT, {}, 131026, [("failed", 100)]),
        (TEXT, {"sent_before_failed": 1}, 131026, [("sent", 100), ("failed", 300)]),
        (TEXT, {"sent_before_failed": 1, "status_delays_ms": (300, 100, 0)}, 131026, [("sent", 300), ("failed", 300)]),
        (VOICE, {"sent_before_failed": 1}, 131026, [("sent", 100), ("failed", 300)]),
        (TEXT, {"delivered_after_failed": 1}, 131026, [("failed", 100), ("delivered", 600)]),
        (TEXT, {"delivered_after_failed": 1}, None, USUAL),
        (
            TEXT,
            {"delivered_after_failed": 1, "sent_before_failed": 1, "status_delays_ms": (9, 8, 7)},
            131026,
            [("sent", 9), ("failed", 9), ("delivered", 9)],
        ),
    ],
    ids=str,
)
def test_the_statuses_of_a_message(
    message: tuple[str, Any], settings: dict[str, Any], failure: int | None, expected: list[tuple[str, int]]
) -> None:
    plan = plan_of(*message, Behaviour(**settings), failure)
    assert [(planned.status, planned.after_ms) for planned in plan] == expected


@pytest.mark.parametrize(
    ("drawn", "setting", "failure", "count"),
    [
        (0.29, "skip_delivered", None, 2),
        (0.31, "skip_delivered", None, 3),
        (0.29, "sent_before_failed", 131026, 2),
        (0.31, "sent_before_failed", 131026, 1),
        (0.29, "delivered_after_failed", 131026, 2),
        (0.31, "delivered_after_failed", 131026, 1),
    ],
)
def test_a_share_of_the_messages_is_concerned(drawn: float, setting: str, failure: int | None, count: int) -> None:
    behaviour = Behaviour(**{setting: 0.3})  # type: ignore[arg-type]
    assert len(plan_of(*TEXT, behaviour, failure, lambda: drawn)) == count


def test_a_voice_message_is_played(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.send(type="audio", audio={"link": "https://example.com/a.ogg", "voice": True})
    (hook,) = receiver.wait_for(1, lambda hook: hook.status.get("status") == "played")
    assert "pricing" not in hook.status


def test_a_message_is_sent_before_it_fails(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/settings", {"sent_before_failed": 1})
    sandbox.send(to="15558131026")
    receiver.wait_for(1, lambda hook: hook.status.get("status") == "failed")
    assert [status["status"] for status in sandbox.ledger()["messages"][0]["statuses"]] == ["sent", "failed"]


def test_a_message_that_failed_is_delivered_all_the_same(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/settings", {"delivered_after_failed": 1})
    sandbox.send(to="15558131026")
    receiver.wait_for(1, lambda hook: hook.status.get("status") == "delivered")
    assert [status["status"] for status in sandbox.ledger()["messages"][0]["statuses"]] == ["failed", "delivered"]


def test_the_first_status_comes_before_the_answer(sandbox: Sandbox, receiver: Receiver) -> None:
    # The webhook is answered before the second begins that the answer takes.
    sandbox.post("/_sandbox/settings", {"status_before_answer": 1, "answer_ms": [1000, 1000]})
    connection = sandbox.send_without_waiting()
    (hook,) = receiver.wait_for(1, lambda hook: hook.status.get("status") == "sent")
    answered, _, _ = select.select([connection.sock], [], [], 0)
    answer = connection.getresponse().read()
    connection.close()
    assert (answered, hook.status["id"].encode() in answer) == ([], True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sent_before_failed", 1.1),
        ("skip_delivered", -0.1),
        ("status_before_answer", True),
        ("delivered_after_failed", 2),
        ("webhook_milliseconds", "all"),
        ("webhook_copies", "1"),
        ("played", 1),
        ("messaging_limit", -1),
        ("free_service_messages", 1.5),
    ],
)
def test_bad_settings_name_the_field(sandbox: Sandbox, name: str, value: object) -> None:
    status, answer = sandbox.request("POST", "/_sandbox/settings", {name: value})
    assert (status, answer["field"]) == (400, name)
