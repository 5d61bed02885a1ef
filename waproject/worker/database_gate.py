"""The database gate: a worker receives nothing while its database is unavailable.

Tasks that fail because of the database report it to the gate; unusually long tasks make the gate probe the database.
Neither costs anything in normal operation.
"""

import time
from typing import Any

from celery import bootsteps, signals
from celery.worker import state as worker_state
from django.db import InterfaceError, OperationalError
from django.db.utils import InternalError

from waproject.sqs.gate import Gate
from waproject.worker import database_probe

# Tasks take milliseconds. A task that runs for this long may be waiting for an unresponsive database.
SLOW_TASK_S = 10.0
CHECK_EVERY_S = 5.0
# SQLSTATEs of a server that is up but unusable: connection lost, too many connections or a full disk, shutting down,
# starting up, a standby. Others (a deadlock, a statement timeout) are failures of the task.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
UNAVAILABLE_CLASSES = {"08", "53"}
UNAVAILABLE_CODES = {"57P01", "57P02", "57P03", "25006"}

gate = Gate("the database", database_probe.probe)


def is_database_unavailable(error: BaseException | None) -> bool:
    """Whether a task failed because the database is unavailable; connection errors of the driver have no SQLSTATE."""
    if isinstance(error, InterfaceError):
        return True
    if not isinstance(error, (OperationalError, InternalError)):
        return False
    code = getattr(error.__cause__, "pgcode", None)
    if code is None:
        return isinstance(error, OperationalError)
    return code[:2] in UNAVAILABLE_CLASSES or code in UNAVAILABLE_CODES


@signals.task_failure.connect
def report_lost_database(exception: BaseException | None = None, **_: Any) -> None:
    """Report the failure in the process that ran the task, where the exception still has its cause."""
    if is_database_unavailable(exception):
        gate.report_failure()


def probe_if_tasks_are_slow(now: float) -> None:
    """Make the gate probe the database if a task has run for longer than `SLOW_TASK_S`. now: a time.time()."""
    try:
        running = list(worker_state.active_requests)
    except RuntimeError:  # another thread started a task meanwhile; the next check suffices
        return
    if any(request.time_start and now - request.time_start > SLOW_TASK_S for request in running):
        gate.probe_soon()


class GateStep(bootsteps.StartStopStep):
    """Checks the worker's tasks periodically in its event loop."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, parent: Any) -> None:
        """Start the timer; called again after each reconnection to the broker."""
        self._timer = parent.timer.call_repeatedly(CHECK_EVERY_S, lambda: probe_if_tasks_are_slow(time.time()))

    def stop(self, parent: Any) -> None:
        """Stop the timer: the event loop ends or restarts."""
        self._timer.cancel()
