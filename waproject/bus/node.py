"""The worker's end of the bus: commands arrive in a thread and run in the worker's event loop."""

import fnmatch
import json
import logging
import os
import random
import re
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from celery import bootsteps
from celery.utils.collections import AttributeDict
from celery.worker import state as worker_state
from celery.worker.control import Panel
from django.conf import settings

from waproject.bus import masking, messages, queues
from waproject.bus.addresses import Addresses
from waproject.sqs.loop_waker import Waker
from waproject.sqs.wire import SqsError
from waproject.worker import liveness

logger = logging.getLogger(__name__)

# What may be asked. Missing on purpose: `revoke` and `terminate`, which delete a message whose work was never done,
# and whatever gives a lane other queues, limits or rates than its table says.
LOOKS = {
    *("ping", "clock", "stats", "conf", "registered", "active_queues"),
    *("active", "reserved", "scheduled", "revoked", "query_task"),
}
CHANGES = {"heartbeat", "enable_events", "disable_events", "pool_grow", "pool_shrink", "shutdown"}
# How long the event loop may take until it obeys. It is busy for less unless it hangs, and then silence is the answer.
OBEYED_S = 10.0
SWEEP_EVERY_S = 600.0


@dataclass(slots=True)
class Command:
    """One command between the thread and the event loop."""

    name: str
    arguments: dict[str, Any]
    done: threading.Event = field(default_factory=threading.Event)
    answer: Any = None


class Node:
    """Receives, obeys and answers for one worker, from its first start to the end of its process."""

    def __init__(self, consumer: Any, bus: Addresses) -> None:
        self._hostname, self._bus = str(consumer.hostname), bus
        self._state = AttributeDict(
            app=consumer.app,
            hostname=self._hostname,
            consumer=consumer,
            tset=(lambda tasks: tasks) if consumer.controller.use_eventloop else set,
        )
        self._commands: deque[Command] = deque()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bus-commands", daemon=True)
        # A pool without an event loop has nothing to wake.
        self._waker = None if consumer.hub is None else Waker(consumer.hub, self._obey_all)

    def start(self) -> None:
        """Listen; called again each time that the worker has lost its broker."""
        if self._waker is not None:
            self._waker.listen()
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        """The event loop ends or begins anew. The thread is not waited for: its long poll brings commands, not work."""
        if self._waker is not None:
            self._waker.ignore()

    def _run(self) -> None:
        sweep_at = time.monotonic() + random.uniform(0.1, 1.0) * SWEEP_EVERY_S  # noqa: S311 - workers take turns
        for orders in messages.listen(self._bus.node(self._hostname), queues.COMMANDS_KEPT_S, self._stopping):
            for order in orders:
                try:
                    self._take(order)
                except Exception as error:  # the thread's edge: the next command may be a better one
                    logger.error("bus: a command failed: %s", type(error).__name__)
            if time.monotonic() > sweep_at:
                sweep_at = time.monotonic() + SWEEP_EVERY_S
                self._sweep()

    def _take(self, order: Any) -> None:
        """Obey what is meant for us and not late, and answer whoever wants one."""
        if not isinstance(order, dict) or order.get("until", 0) < time.time() or not _matches(order, self._hostname):
            return
        command = Command(str(order.get("command")), order.get("arguments") or {})
        if command.name not in LOOKS | CHANGES:
            command.answer = {"error": f"{command.name!r} is not offered here: see docs/flower.md."}
        elif not self._obeyed(command):
            return
        if asker := order.get("asker"):
            self._answer(str(asker), str(order.get("ticket")), command.answer)

    def _answer(self, asker: str, ticket: str, answer: Any) -> None:
        text = json.dumps({"ticket": ticket, "answer": {self._hostname: masking.reply(answer)}})
        try:
            messages.send(self._bus.replies(asker), text)
        except SqsError as error:  # it may have ended
            logger.info("bus: an answer was not sent: %s", error)

    def _obeyed(self, command: Command) -> bool:
        """Have the event loop obey; False if it does not come round to it."""
        if self._waker is None:
            self._obey(command)
            return True
        self._commands.append(command)
        self._waker.wake()
        return command.done.wait(OBEYED_S)

    def _obey_all(self) -> None:
        while self._commands:
            self._obey(self._commands.popleft())

    def _obey(self, command: Command) -> None:
        try:
            command.answer = Panel.data[command.name](self._state, **command.arguments)
        except SystemExit:  # `shutdown`: the worker ends as on SIGTERM, and not from inside of here
            worker_state.should_stop = os.EX_OK  # type: ignore[assignment]
        except Exception as error:
            logger.warning("bus: %s failed: %s", command.name, type(error).__name__)
            command.answer = {"error": f"{command.name} failed: {type(error).__name__}"}
        finally:
            command.done.set()

    def _sweep(self) -> None:
        """Take away the queues that killed workers and askers left behind."""
        try:
            living = liveness.names(queues.ORPHANED_AFTER_S) | {self._hostname}
            queues.sweep(self._bus, living)
        except Exception as error:  # the next one will, or another worker
            logger.warning("bus: no sweep: %s", type(error).__name__)


def _matches(order: dict[str, Any], hostname: str) -> bool:
    pattern = order.get("pattern")
    if not pattern:
        return True
    if order.get("matcher") == "pcre":
        return re.match(str(pattern), hostname) is not None
    return fnmatch.fnmatchcase(hostname, str(pattern))


class NodeStep(bootsteps.StartStopStep):
    """In the place of Celery's own Control step, which is off (`worker_enable_remote_control`)."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def include_if(self, parent: Any) -> bool:
        """Only where there is a bus."""
        return bool(settings.SQS_MONITOR_QUEUE_URL)

    def create(self, parent: Any) -> Node:  # type: ignore[override]
        """One for each worker."""
        return Node(parent, queues.bus())
