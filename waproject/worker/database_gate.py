"""The database gate: a worker without its database receives nothing.

Tasks that fail for want of the database tell the gate; tasks that run suspiciously long make it ask. Both cost nothing
while all is well.
"""

import time
from typing import Any

from celery import bootsteps, signals
from celery.worker import state as worker_state
from django.db import InterfaceError, OperationalError
from django.db.utils import InternalError

from waproject.sqs.gate import Gate
from waproject.worker import database_probe

# A task usually takes milliseconds. One that waits so long may wait for a database that is silent.
SLOW_TASK_S = 10.0
LOOK_EVERY_S = 5.0
# SQLSTATEs of a server that is there and cannot work: connection lost, too many connections or a full disk, shutting
# down, starting up, a standby. Others (a deadlock, a statement that took too long) are the task's own failure.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
AWAY_CLASSES = {"08", "53"}
AWAY_CODES = {"57P01", "57P02", "57P03", "25006"}

gate = Gate("the database", database_probe.ask)


def is_away(error: BaseException | None) -> bool:
    """Whether a task failed because it could not reach its database; the driver's errors of that have no SQLSTATE."""
    if isinstance(error, InterfaceError):
        return True
    if not isinstance(error, (OperationalError, InternalError)):
        return False
    code = getattr(error.__cause__, "pgcode", None)
    if code is None:
        return isinstance(error, OperationalError)
    return code[:2] in AWAY_CLASSES or code in AWAY_CODES


@signals.task_failure.connect
def tell_of_a_lost_database(exception: BaseException | None = None, **_: Any) -> None:
    """Sent where the task ran: in a thread of the worker, or in a child of it, where the error still has its cause."""
    if is_away(exception):
        gate.tell()


def doubt_slow_tasks(now: float) -> None:
    """Have the gate ask where a task has run for so long (`now`: time.time()) that the database may be silent."""
    try:
        running = list(worker_state.active_requests)
    except RuntimeError:  # another thread began a task just now; the next look will do
        return
    if any(request.time_start and now - request.time_start > SLOW_TASK_S for request in running):
        gate.doubt()


class GateStep(bootsteps.StartStopStep):
    """Looks after the worker's tasks from its event loop."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, parent: Any) -> None:
        """Begin; called again each time that the worker has lost its broker."""
        self._timer = parent.timer.call_repeatedly(LOOK_EVERY_S, lambda: doubt_slow_tasks(time.time()))

    def stop(self, parent: Any) -> None:
        """The event loop ends or begins anew."""
        self._timer.cancel()
