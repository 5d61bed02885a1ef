"""Remote commands in a worker: a thread receives them, and the worker's event loop executes them."""

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

# The allowed commands. Excluded on purpose: `revoke` and `terminate`, which delete a message whose task never ran, and
# commands that change a lane's queues, limits or rates.
QUERIES = {
    *("ping", "clock", "stats", "conf", "registered", "active_queues"),
    *("active", "reserved", "scheduled", "revoked", "query_task"),
}
ACTIONS = {"heartbeat", "enable_events", "disable_events", "pool_grow", "pool_shrink", "shutdown"}
# How long a command waits for the event loop. A loop that is busy for longer hangs; then no reply is sent.
EXECUTION_TIMEOUT_S = 10.0
SWEEP_EVERY_S = 600.0


@dataclass(slots=True)
class Command:
    """One command between the thread and the event loop."""

    name: str
    arguments: dict[str, Any]
    done: threading.Event = field(default_factory=threading.Event)
    answer: Any = None


class Node:
    """Receives and executes commands, and replies, for one worker until its process exits."""

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
        # Pools without an event loop need no waker.
        self._waker = None if consumer.hub is None else Waker(consumer.hub, self._execute_all)

    def start(self) -> None:
        """Start listening; called again after each reconnection to the broker."""
        if self._waker is not None:
            self._waker.attach()
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        """Detach from the event loop. The thread continues: its long poll receives commands, not tasks."""
        if self._waker is not None:
            self._waker.detach()

    def _run(self) -> None:
        sweep_at = time.monotonic() + random.uniform(0.1, 1.0) * SWEEP_EVERY_S  # noqa: S311 - workers take turns
        for orders in messages.listen(self._bus.node(self._hostname), queues.COMMANDS_KEPT_S, self._stopping):
            for order in orders:
                try:
                    self._take(order)
                except Exception as error:  # the thread must survive for the next command
                    logger.error("bus: a command failed: %s", type(error).__name__)
            if time.monotonic() > sweep_at:
                sweep_at = time.monotonic() + SWEEP_EVERY_S
                self._sweep()

    def _take(self, order: Any) -> None:
        """Execute a command that addresses this worker and has not expired, and reply if asked to."""
        if not isinstance(order, dict) or order.get("until", 0) < time.time() or not _matches(order, self._hostname):
            return
        command = Command(str(order.get("command")), order.get("arguments") or {})
        if command.name not in QUERIES | ACTIONS:
            command.answer = {"error": f"{command.name!r} is not allowed here: see docs/flower.md."}
        elif not self._execute_in_loop(command):
            return
        if asker := order.get("asker"):
            self._answer(str(asker), str(order.get("ticket")), command.answer)

    def _answer(self, asker: str, ticket: str, answer: Any) -> None:
        text = json.dumps({"ticket": ticket, "answer": {self._hostname: masking.reply(answer)}})
        try:
            messages.send(self._bus.replies(asker), text)
        except SqsError as error:  # the asker may have exited
            logger.info("bus: sending a reply failed: %s", error)

    def _execute_in_loop(self, command: Command) -> bool:
        """Execute the command in the event loop. Returns False on a timeout."""
        if self._waker is None:
            self._execute(command)
            return True
        self._commands.append(command)
        self._waker.wake()
        return command.done.wait(EXECUTION_TIMEOUT_S)

    def _execute_all(self) -> None:
        while self._commands:
            self._execute(self._commands.popleft())

    def _execute(self, command: Command) -> None:
        try:
            command.answer = Panel.data[command.name](self._state, **command.arguments)
        except SystemExit:  # `shutdown`: end the worker as SIGTERM does, outside of this callback
            worker_state.should_stop = os.EX_OK  # type: ignore[assignment]
        except Exception as error:
            logger.warning("bus: %s failed: %s", command.name, type(error).__name__)
            command.answer = {"error": f"{command.name} failed: {type(error).__name__}"}
        finally:
            command.done.set()

    def _sweep(self) -> None:
        """Delete the queues of killed workers and askers."""
        try:
            living = liveness.names(queues.ORPHANED_AFTER_S) | {self._hostname}
            queues.sweep(self._bus, living)
        except Exception as error:  # the next sweep, or another worker's, deletes them
            logger.warning("bus: deleting orphaned queues failed: %s", type(error).__name__)


def _matches(order: dict[str, Any], hostname: str) -> bool:
    pattern = order.get("pattern")
    if not pattern:
        return True
    if order.get("matcher") == "pcre":
        return re.match(str(pattern), hostname) is not None
    return fnmatch.fnmatchcase(hostname, str(pattern))


class NodeStep(bootsteps.StartStopStep):
    """Replaces Celery's Control step, which `worker_enable_remote_control` turns off."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def include_if(self, parent: Any) -> bool:
        """Whether a bus is configured."""
        return bool(settings.SQS_MONITOR_QUEUE_URL)

    def create(self, parent: Any) -> Node:  # type: ignore[override]
        """Create the worker's node."""
        return Node(parent, queues.bus())
