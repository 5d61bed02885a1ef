"""Celery's `app.control` over SQS: commands go to each worker's queue, answers to the caller's."""

import atexit
import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError
from celery.app.control import Control as CeleryControl
from kombu.exceptions import OperationalError

from waproject.bus import messages, queues
from waproject.bus.addresses import Addresses
from waproject.sqs.wire import SqsError

SENDERS = 8
# Workers ignore commands older than this, so that a delayed `shutdown` does not hit a new worker.
COMMAND_EXPIRES_S = 15.0


class Control(CeleryControl):
    """`app.control`, which `celery inspect`, `celery control` and Flower use."""

    def broadcast(  # type: ignore[override]  # noqa: PLR0917 - as Celery has it, not its stubs
        self,
        command: str,
        arguments: Mapping[str, Any] | None = None,
        destination: Sequence[str] | None = None,
        connection: Any = None,
        reply: bool = False,
        timeout: float | None = 1.0,
        limit: int | None = None,
        callback: Callable[..., Any] | None = None,
        channel: Any = None,
        pattern: str | None = None,
        matcher: str | None = None,
        **extra: Any,
    ) -> list[dict[str, Any]] | None:
        """Send a command to all workers or those of these names; with `reply`, `[{node: answer}, …]`.

        It waits for the answers of all addressed workers, at most `timeout` seconds. Raises kombu's OperationalError
        if SQS fails, and ImproperlyConfigured if the bus is off.
        """
        if isinstance(destination, str):
            raise TypeError(f"destination is a list of node names, not {destination!r}")
        bus = queues.bus()
        reply_timeout = timeout or 1.0
        message = {
            "command": command,
            "arguments": {**(arguments or {}), **extra},
            "pattern": pattern,
            "matcher": matcher,
            "until": time.time() + max(reply_timeout, COMMAND_EXPIRES_S),
        }
        try:
            if not reply:
                _send_command(bus, message, destination)
                return None
            replies = _replies(bus)
            ticket = replies.expect()
            try:
                sent = _send_command(bus, message | {"ticket": ticket, "asker": replies.asker}, destination)
                return replies.collect(ticket, min(sent, limit or sent), reply_timeout, callback)
            finally:
                replies.forget(ticket)
        except (SqsError, ClientError, BotoCoreError) as error:
            raise OperationalError(f"the monitor bus: {error}") from error


class Replies:
    """One process's reply queue. Thread-safe: of several waiting threads one receives for all."""

    def __init__(self, url: str, asker: str) -> None:
        self.asker = asker
        self._url = url
        self._arrived: dict[str, list[Any]] = {}
        self._changed = threading.Condition()
        self._receiving = False

    def expect(self) -> str:
        """A new ticket, which replies to one command carry."""
        ticket = uuid4().hex
        with self._changed:
            self._arrived[ticket] = []
        return ticket

    def forget(self, ticket: str) -> None:
        """Discard further replies to this ticket."""
        with self._changed:
            del self._arrived[ticket]

    def collect(self, ticket: str, count: int, timeout: float, callback: Callable[..., Any] | None) -> list[Any]:
        """Up to `count` replies that arrive within `timeout` seconds. Raises wire.SqsError."""
        ends = time.monotonic() + timeout
        reported = 0
        while True:
            with self._changed:
                answers = self._arrived[ticket][:count]
                remaining = ends - time.monotonic()
                receives = not self._receiving and len(answers) < count and remaining > 0
                if receives:
                    self._receiving = True
                elif len(answers) < count and remaining > 0:
                    self._changed.wait(remaining)
            for answer in answers[reported:]:
                if callback is not None:
                    callback(answer)
            reported = len(answers)
            if reported >= count or remaining <= 0:
                return answers
            if receives:
                self._receive(max(1, int(remaining)))

    def _receive(self, wait_time: int) -> None:
        received: list[Any] = []
        try:
            received = messages.receive(self._url, wait_time)
        finally:
            with self._changed:
                self._receiving = False
                for each in received:
                    if isinstance(each, dict) and str(each.get("ticket")) in self._arrived:
                        self._arrived[str(each["ticket"])].append(each.get("answer"))
                self._changed.notify_all()


_own: dict[int, Replies] = {}
_making = threading.Lock()


def use_reply_queue(asker: str) -> None:
    """Use a reply queue with a fixed name, which is kept for the next process."""
    _own[os.getpid()] = _made(queues.bus(), asker)


def _replies(bus: Addresses) -> Replies:
    """This process's reply queue, created with its first command and deleted at its exit."""
    with _making:
        if os.getpid() not in _own:
            replies = _own[os.getpid()] = _made(bus, f"{os.getpid()}-{uuid4().hex}")
            atexit.register(queues.delete_quietly, bus.replies(replies.asker))
        return _own[os.getpid()]


def _made(bus: Addresses, asker: str) -> Replies:
    url = bus.replies(asker)
    queues.create(url, queues.COMMANDS_KEPT_S)
    return Replies(url, asker)


def _send_command(bus: Addresses, message: dict[str, Any], destination: Sequence[str] | None) -> int:
    """Send the command to all workers or those named; returns the number of existing queues."""
    if destination is None:
        urls = [bus.named(name) for name in queues.names(bus.nodes_prefix)]
    else:
        urls = [bus.node(name) for name in destination]
    text = json.dumps(message, default=str)
    with ThreadPoolExecutor(SENDERS) as senders:
        return sum(senders.map(lambda url: _sent(url, text), urls))


def _sent(url: str, text: str) -> bool:
    try:
        messages.send(url, text)
    except SqsError as error:
        if not queues.is_missing(error.code):
            raise
        return False
    return True
