"""Queues in memory: visibility timeouts, delays, dead-letter queues, lost and doubled messages.

Every operation takes constant time.
"""

import asyncio
import heapq
import json
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

MAX_MESSAGE_BYTES = 1024 * 1024
# Delays of second copies in turn: beside the first one, when another worker takes it, and after it was processed.
COPY_DELAYS_S = (None, 1.0)


class Fault(Exception):
    """An answer with HTTP 400; `code` is SQS's name of the error."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True, eq=False)
class Message:
    """One message; `turn` changes with each receive and change of visibility, so that old timers do nothing."""

    body: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    sent_at: float = field(default_factory=time.time)
    receives: int = 0
    turn: int = 0
    handle: str | None = None
    deleted: bool = False


class Queue:
    """One queue; lives in one event loop."""

    def __init__(self, name: str, server: "Queues") -> None:
        self.name = name
        self.attributes: dict[str, str] = {"VisibilityTimeout": "30", "DelaySeconds": "0"}
        self.sent = self.deleted = 0
        self.most_receives = 0
        self._server = server
        self._ready: deque[Message] = deque()
        self._hidden: list[tuple[float, int, int, Message]] = []
        self._in_flight: dict[str, Message] = {}
        self._delayed = 0
        self._order = 0
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._copy_delays = cycle(COPY_DELAYS_S)

    def counts(self) -> dict[str, int]:
        """Messages by state now, and totals since the queue was made."""
        return {
            "waiting": len(self._ready),
            "in_flight": len(self._in_flight),
            "delayed": self._delayed,
            "sent": self.sent,
            "deleted": self.deleted,
            "most_receives": self.most_receives,
        }

    def send(self, body: str, delay: float | None) -> Message:
        """Take a message, unless the server loses it; take it twice where the server doubles. Raises Fault."""
        if len(body.encode()) > MAX_MESSAGE_BYTES:
            raise Fault("InvalidParameterValue")
        if self._server.loses and self.name.endswith(self._server.loses):
            self._server.lost += 1
            return Message(body)
        if self._server.doubles:
            self._server.doubled += 1
            self._store(body, next(self._copy_delays))
        return self._store(body, delay)

    async def receive(self, at_most: int, wait: float, visibility: float | None) -> list[Message]:
        """Up to `at_most` messages, after waiting up to `wait` seconds for the first one."""
        hidden_for = float(self.attributes["VisibilityTimeout"]) if visibility is None else visibility
        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        while not (taken := self._take(at_most, hidden_for)) and loop.time() < until:
            turn = loop.create_future()
            self._waiting.append(turn)
            handle = loop.call_at(until, lambda turn=turn: turn.done() or turn.set_result(None))  # type: ignore[misc]
            await turn
            handle.cancel()
        return taken

    def delete(self, handle: str) -> None:
        """Delete by receipt handle; a handle that is no longer the message's deletes nothing, as in SQS."""
        message = self._server.by_handle.get(handle)
        if message is None:
            raise Fault("ReceiptHandleIsInvalid")
        if message.handle != handle:
            return
        self._in_flight.pop(handle, None)
        if not message.deleted:
            self.deleted += 1
        message.deleted = True
        message.turn += 1

    def hide(self, handle: str, seconds: float) -> None:
        """Change the visibility of a message in flight."""
        if handle not in self._server.by_handle:
            raise Fault("ReceiptHandleIsInvalid")
        message = self._in_flight.get(handle)
        if message is None:
            raise Fault("InvalidParameterValue")
        self._show_later(message, seconds)

    def purge(self) -> None:
        """Drop all messages."""
        for message in [*self._ready, *self._in_flight.values(), *(entry[3] for entry in self._hidden)]:
            message.deleted = True
        self._ready.clear()
        self._in_flight.clear()
        self._hidden.clear()
        self._delayed = 0

    def _store(self, body: str, delay: float | None) -> Message:
        message = Message(body)
        self.sent += 1
        seconds = float(self.attributes["DelaySeconds"]) if delay is None else delay
        if seconds:
            self._delayed += 1
            self._show_later(message, seconds)
        else:
            self._show(message)
        return message

    def _show(self, message: Message) -> None:
        self._ready.append(message)
        self._wake_one()

    def _wake_one(self) -> None:
        """Wake the first long poll that has not ended."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                break

    def _take(self, at_most: int, hidden_for: float) -> list[Message]:
        taken: list[Message] = []
        policy = json.loads(self.attributes.get("RedrivePolicy") or "{}")
        while self._ready and len(taken) < at_most:
            message = self._ready.popleft()
            if message.deleted:
                continue
            if policy and message.receives >= int(policy["maxReceiveCount"]):
                message.handle = None
                self._server.named(policy["deadLetterTargetArn"].rpartition(":")[2])._show(message)
                continue
            message.receives += 1
            self.most_receives = max(self.most_receives, message.receives)
            message.handle = uuid.uuid4().hex
            self._server.by_handle[message.handle] = self._in_flight[message.handle] = message
            self._show_later(message, hidden_for)
            taken.append(message)
        if self._ready:
            self._wake_one()
        return taken

    def _show_later(self, message: Message, seconds: float) -> None:
        message.turn += 1
        self._order += 1
        heapq.heappush(self._hidden, (time.monotonic() + seconds, self._order, message.turn, message))
        self._arm()

    def _arm(self) -> None:
        if self._timer:
            self._timer.cancel()
        if self._hidden:
            wait = max(0.0, self._hidden[0][0] - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(wait, self._sweep)

    def _sweep(self) -> None:
        now = time.monotonic() + 0.001
        while self._hidden and self._hidden[0][0] <= now:
            _, _, turn, message = heapq.heappop(self._hidden)
            if message.deleted or message.turn != turn:
                continue
            if message.handle is None:
                self._delayed -= 1
            else:
                self._in_flight.pop(message.handle, None)
            self._show(message)
        self._arm()


class Queues:
    """All queues of a server, and the faults of their messages.

    `loses`: the end of the names of queues that drop what they are sent. `doubles`: every message is kept twice.
    """

    def __init__(self) -> None:
        self.by_name: dict[str, Queue] = {}
        self.by_handle: dict[str, Message] = {}
        self.loses, self.lost = "", 0
        self.doubles, self.doubled = False, 0

    def forget(self) -> None:
        """Drop all messages and end all faults."""
        self.loses, self.doubles = "", False
        for queue in self.by_name.values():
            queue.purge()

    def named(self, name: str) -> Queue:
        """The queue of this name. Raises Fault."""
        if name not in self.by_name:
            raise Fault("QueueDoesNotExist")
        return self.by_name[name]

    def create(self, name: str, attributes: dict[str, Any]) -> Queue:
        """Make a queue, or change the attributes of an existing one."""
        queue = self.by_name.setdefault(name, Queue(name, self))
        queue.attributes.update(attributes)
        return queue
