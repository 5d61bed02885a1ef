"""The order, number and form of webhooks as Meta may send them: late, mixed, several in one POST, one twice."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Coroutine, Sequence
from itertools import groupby
from typing import Any

from ..delivery import Delivery
from ..settings import Behaviour
from .sender import WebhookSender, encode

JSON = dict[str, Any]


class ReorderingSender:
    """Sends through a WebhookSender, in the disorder that the current settings ask for."""

    def __init__(self, sender: WebhookSender, behaviour: Callable[[], Behaviour]) -> None:
        self._sender = sender
        self._behaviour = behaviour
        self._held: set[asyncio.Task[None]] = set()
        self._batch: _Batch | None = None

    def send(self, payload: JSON) -> Delivery:
        """Start the delivery of one update. The delivery is that of the first copy, and of all in the same POST."""
        behaviour = self._behaviour()
        if random.random() < behaviour.webhook_milliseconds:  # noqa: S311 - no secret
            payload = in_milliseconds(payload)
        if behaviour.webhook_batch == 1:
            delivery = Delivery(encode(payload))
            self._release(delivery, behaviour)
            return delivery
        batch = self._batch or self._begin(behaviour)
        batch.payloads.append(payload)
        if len(batch.payloads) >= behaviour.webhook_batch:
            batch.full.set()
            self._batch = None
        return batch.delivery

    async def drop_pending(self, seconds: float | None) -> None:
        """Cancel held webhooks, and those without a 200 so far; `seconds` as in WebhookSender."""
        self._batch = None
        for task in list(self._held):
            task.cancel()
        await self._sender.drop_pending(seconds)

    def _begin(self, behaviour: Behaviour) -> _Batch:
        self._batch = batch = _Batch()
        self._hold(self._close(batch, behaviour), batch.delivery)
        return batch

    async def _close(self, batch: _Batch, behaviour: Behaviour) -> None:
        try:
            await asyncio.wait_for(batch.full.wait(), behaviour.webhook_batch_ms / 1000)
        except TimeoutError:
            if self._batch is batch:
                self._batch = None
        batch.delivery.body = encode(merged(batch.payloads))
        self._release(batch.delivery, behaviour)

    def _release(self, delivery: Delivery, behaviour: Behaviour) -> None:
        self._start(delivery, behaviour)
        if random.random() < behaviour.webhook_copies:  # noqa: S311 - no secret
            self._start(Delivery(delivery.body), behaviour)

    def _start(self, delivery: Delivery, behaviour: Behaviour) -> None:
        if behaviour.webhook_delay_ms == (0, 0):
            self._sender.start(delivery)
            return
        seconds = random.uniform(*behaviour.webhook_delay_ms) / 1000  # noqa: S311 - no secret
        self._hold(self._start_late(delivery, seconds), delivery)

    async def _start_late(self, delivery: Delivery, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._sender.start(delivery)

    def _hold(self, work: Coroutine[Any, Any, None], delivery: Delivery) -> None:
        task = asyncio.create_task(work)
        self._held.add(task)
        task.add_done_callback(self._held.discard)
        # A caller that waits for the first attempt must not wait for one that was dropped.
        task.add_done_callback(lambda done: delivery.tried.set() if done.cancelled() else None)


class _Batch:
    """Updates that share one POST."""

    def __init__(self) -> None:
        self.payloads: list[JSON] = []
        self.delivery = Delivery(b"")
        self.full = asyncio.Event()


def in_milliseconds(payload: JSON) -> JSON:
    """The same webhook with the timestamps of its messages and statuses in milliseconds."""
    copy: JSON = json.loads(json.dumps(payload))
    for entry in copy["entry"]:
        for change in entry["changes"]:
            for update in (*change["value"].get("messages", ()), *change["value"].get("statuses", ())):
                update["timestamp"] += "000"
    return copy


def merged(payloads: Sequence[JSON]) -> JSON:
    """One webhook for all: updates of one kind and number that follow each other share a change, the rest an entry."""
    first = payloads[0]
    entry = {**first["entry"][0], "changes": _changes(payloads)}
    return {**first, "entry": [entry]}


def _changes(payloads: Sequence[JSON]) -> list[JSON]:
    changes = (change for payload in payloads for entry in payload["entry"] for change in entry["changes"])
    merged_changes = []
    for _, group in groupby(changes, _kind_of):
        alike = list(group)
        value: JSON = {}
        for change in alike:
            for name, part in change["value"].items():
                value[name] = [*value.get(name, ()), *part] if isinstance(part, list) else part
        merged_changes.append({**alike[0], "value": value})
    return merged_changes


def _kind_of(change: JSON) -> tuple[str, str, str]:
    value = change["value"]
    kind = next((name for name in ("messages", "statuses") if name in value), "")
    return change["field"], value.get("metadata", {}).get("phone_number_id", ""), kind
