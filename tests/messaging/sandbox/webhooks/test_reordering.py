"""Untidy webhooks: the same statuses, in other shapes and at other times."""

from __future__ import annotations

from collections import Counter
from typing import Any

from messaging.sandbox.webhooks.reordering import merged

from ..process import Sandbox
from ..receiver import Hook, Receiver


def update(kind: str, number: str, name: str) -> dict[str, Any]:
    value = {"metadata": {"phone_number_id": number}, "contacts": [{"user_id": name}], kind: [{"id": name}]}
    return {"object": "x", "entry": [{"id": "waba", "changes": [{"field": "messages", "value": value}]}]}


def statuses(hook: Hook) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hook.value.get("statuses", [])
    return found


def test_updates_of_one_kind_share_a_change() -> None:
    [change] = merged([update("statuses", "1", "a"), update("statuses", "1", "b")])["entry"][0]["changes"]
    assert change["value"] == {
        "metadata": {"phone_number_id": "1"},
        "contacts": [{"user_id": "a"}, {"user_id": "b"}],
        "statuses": [{"id": "a"}, {"id": "b"}],
    }


def test_kinds_and_numbers_are_kept_apart() -> None:
    batch = [update("statuses", "1", "a"), update("messages", "1", "b"), update("messages", "2", "c")]
    [entry] = merged(batch)["entry"]
    assert len(entry["changes"]) == 3


def test_merging_changes_no_update() -> None:
    first = update("statuses", "1", "a")
    merged([first, update("statuses", "1", "b")])
    assert first == update("statuses", "1", "a")


def test_timestamps_come_in_milliseconds(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/settings", {"webhook_milliseconds": 1})
    sandbox.send()
    sandbox.post("/_sandbox/inbound", {"from": "15551230001", "text": "Hi"})
    hooks = receiver.wait_for(4, lambda hook: bool({"statuses", "messages"} & hook.value.keys()))
    updates = [each for hook in hooks for key in ("statuses", "messages") for each in hook.value.get(key, [])]
    assert {len(update["timestamp"]) for update in updates} == {13}


def test_every_webhook_comes_twice(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/settings", {"webhook_copies": 1})
    sandbox.send()
    hooks = receiver.wait_for(6, lambda hook: bool(statuses(hook)))
    assert set(Counter(hook.body for hook in hooks).values()) == {2}


def test_webhooks_come_late_and_out_of_order(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/settings", {"webhook_delay_ms": [100, 600], "status_delays_ms": [1, 2, 3]})
    for n in range(8):
        sandbox.send(to=f"1555123000{n}")
    hooks = receiver.wait_for(24, lambda hook: bool(statuses(hook)))
    # That eight messages keep their order by chance is one to 1.7 million.
    order: dict[str, list[str]] = {}
    for hook in hooks:
        order.setdefault(hook.status["id"], []).append(hook.status["status"])
    assert any(seen != ["sent", "delivered", "read"] for seen in order.values())
    assert all(sorted(seen) == ["delivered", "read", "sent"] for seen in order.values())


def test_several_updates_share_a_post_and_are_acknowledged_together(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/settings", {"webhook_batch": 3, "webhook_batch_ms": 5000})
    sandbox.send()
    [hook] = receiver.wait_for(1, lambda hook: bool(statuses(hook)))
    assert [status["status"] for status in statuses(hook)] == ["sent", "delivered", "read"]


def test_a_batch_that_does_not_fill_goes_after_its_time(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/settings", {"webhook_batch": 100, "webhook_batch_ms": 200})
    sandbox.send()
    [hook] = receiver.wait_for(1, lambda hook: bool(statuses(hook)))
    assert len(statuses(hook)) == 3


def test_a_user_who_writes_into_a_batch_is_answered(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.post("/_sandbox/settings", {"webhook_batch": 100, "webhook_batch_ms": 50})
    answer = sandbox.post("/_sandbox/inbound", {"from": "15551230001", "text": "Hi"})
    assert answer["delivered"]
