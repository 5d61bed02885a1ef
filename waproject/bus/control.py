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
# A command is obeyed within this many seconds or not at all: nobody wants to be shut down by last minute's click.
OBEYED_WITHIN_S = 15.0


class Control(CeleryControl):
    """`app.control`: what `inspect`, `control` and Flower ask the workers with."""

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

        It waits until all that were asked have answered, or for `timeout` seconds. Raises kombu's OperationalError
        when SQS fails, and ImproperlyConfigured where the bus is off.
        """
        if isinstance(destination, str):
            raise TypeError(f"destination is a list of node names, not {destination!r}")
        bus = queues.bus()
        patience = timeout or 1.0
        order = {
            "command": command,
            "arguments": {**(arguments or {}), **extra},
            "pattern": pattern,
            "matcher": matcher,
            "until": time.time() + max(patience, OBEYED_WITHIN_S),
        }
        try:
            if not reply:
                _tell(bus, order, destination)
                return None
            replies = _replies(bus)
            ticket = replies.expect()
            try:
                asked = _tell(bus, order | {"ticket": ticket, "asker": replies.asker}, destination)
                return replies.collect(ticket, min(asked, limit or asked), patience, callback)
            finally:
                replies.forget(ticket)
        except (SqsError, ClientError, BotoCoreError) as error:
            raise OperationalError(f"the monitor bus: {error}") from error


class Replies:
    """One asker's reply queue, for any number of threads that ask at once: one of them receives for all."""

    def __init__(self, url: str, asker: str) -> None:
        self.asker = asker
        self._url = url
        self._arrived: dict[str, list[Any]] = {}
        self._changed = threading.Condition()
        self._receiving = False

    def expect(self) -> str:
        """A ticket for one question."""
        ticket = uuid4().hex
        with self._changed:
            self._arrived[ticket] = []
        return ticket

    def forget(self, ticket: str) -> None:
        """What comes for it from now on is thrown away."""
        with self._changed:
            del self._arrived[ticket]

    def collect(self, ticket: str, count: int, timeout: float, callback: Callable[..., Any] | None) -> list[Any]:
        """Up to `count` answers, as many as come within `timeout` seconds. Raises wire.SqsError."""
        ends = time.monotonic() + timeout
        told = 0
        while True:
            with self._changed:
                answers = self._arrived[ticket][:count]
                remaining = ends - time.monotonic()
                receives = not self._receiving and len(answers) < count and remaining > 0
                if receives:
                    self._receiving = True
                elif len(answers) < count and remaining > 0:
                    self._changed.wait(remaining)
            for answer in answers[told:]:
                if callback is not None:
                    callback(answer)
            told = len(answers)
            if told >= count or remaining <= 0:
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
                    if isinstance(each, dict) and each.get("ticket") in self._arrived:
                        self._arrived[each["ticket"]].append(each.get("answer"))
                self._changed.notify_all()


_own: dict[int, Replies] = {}
_making = threading.Lock()


def answer_to(asker: str) -> None:
    """Give this process a reply queue of a fixed name, which is left behind for its successor."""
    _own[os.getpid()] = _made(queues.bus(), asker)


def _replies(bus: Addresses) -> Replies:
    """This process's reply queue, made for its first question and deleted at its end."""
    with _making:
        if os.getpid() not in _own:
            replies = _own[os.getpid()] = _made(bus, f"{os.getpid()}-{uuid4().hex}")
            atexit.register(queues.delete_quietly, bus.replies(replies.asker))
        return _own[os.getpid()]


def _made(bus: Addresses, asker: str) -> Replies:
    url = bus.replies(asker)
    queues.create(url, queues.COMMANDS_KEPT_S)
    return Replies(url, asker)


def _tell(bus: Addresses, order: dict[str, Any], destination: Sequence[str] | None) -> int:
    """Send it to all or some; how many there are to hear it."""
    if destination is None:
        urls = [bus.named(name) for name in queues.names(bus.nodes_prefix)]
    else:
        urls = [bus.node(name) for name in destination]
    text = json.dumps(order, default=str)
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
