"""The record of each task, one log line with metrics: waiting time, run time, originating requests."""

import logging
import time
from contextlib import ExitStack
from typing import Any

from celery import signals

from waproject.logs.context import MAX_IDS, current_request_id, is_request_id, log_context
from waproject.metrics import counters
from waproject.sqs.consumer import SENT_AT
from waproject.sqs.joining import JOINED, TRACE, TRACES

logger = logging.getLogger(__name__)

OUTCOMES = {"SUCCESS": "ok", "FAILURE": "failed", "RETRY": "retried", "REJECTED": "rejected"}


@signals.before_task_publish.connect
def add_request_id(headers: Any = None, **_: Any) -> None:
    """Add the id of the current request to a task's message."""
    if request_id := current_request_id():
        headers[TRACE] = request_id
    else:
        headers.pop(TRACE, None)  # a reused message template may have an old one


@signals.worker_init.connect
def flush_metrics(**_: Any) -> None:
    """Flush the metrics of a worker and of its child processes."""
    from waproject.metrics.flushing import start_flushing

    start_flushing()


@signals.worker_process_shutdown.connect
def flush_metrics_at_exit(**_: Any) -> None:
    """Flush a child process's metrics: it runs no exit handlers."""
    counters.flush()


@signals.task_prerun.connect
def begin(task: Any = None, **_: Any) -> None:
    """Note the task's start and its message's waiting time, and add its ids to the following log lines."""
    request = task.request
    request.began, request.work = time.perf_counter(), ExitStack()
    if sent_at := request.get(SENT_AT):
        request.waited = max(0.0, time.time() - sent_at / 1000)
        counters.TASK_WAIT.observe(request.waited, task.name)
    request.touched = request.work.enter_context(log_context(task=task.name, task_id=request.id, **_requests(request)))


@signals.task_postrun.connect
def end(task: Any = None, state: str | None = None, **_: Any) -> None:
    """Count the run and log one line; joined messages are one task."""
    request = task.request
    if not (began := request.get("began")):
        return
    ran, outcome = time.perf_counter() - began, OUTCOMES.get(state or "", "other")
    counters.TASK_SECONDS.observe(ran, task.name, outcome)
    level = logging.INFO if outcome == "ok" else logging.WARNING
    if logger.isEnabledFor(level):
        about = {"outcome": outcome, "run_ms": round(ran * 1000, 1), **request.touched.fields()}
        if waited := request.get("waited"):
            about["wait_ms"] = round(waited * 1000, 1)
        if isinstance(joined := request.get(JOINED), int):
            about["joined"] = joined
        logger.log(level, "task", extra=about)
    request.work.close()


def _requests(request: Any) -> dict[str, Any]:
    """The ids of the requests that published it. They come from the queue, so each is checked."""
    if isinstance(several := request.get(TRACES), list):
        return {"request_ids": [one for one in several[:MAX_IDS] if is_request_id(one)]}
    one = request.get(TRACE)
    return {"request_id": one} if is_request_id(one) else {}
