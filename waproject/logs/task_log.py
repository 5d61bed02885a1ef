"""One log line and the metrics of each task: waiting time, run time, originating requests."""

import logging
import time
from contextlib import ExitStack
from typing import Any

from celery import signals

from waproject.logs.context import MOST_IDS, current_request_id, is_request_id, work
from waproject.metrics import counters
from waproject.sqs.consumer import SENT_AT
from waproject.sqs.joining import JOINED, TRACE, TRACES

logger = logging.getLogger(__name__)

OUTCOMES = {"SUCCESS": "ok", "FAILURE": "failed", "RETRY": "retried", "REJECTED": "rejected"}


@signals.before_task_publish.connect
def name_the_request(headers: Any = None, **_: Any) -> None:
    """Let a task's message carry the id of the request that causes it."""
    if request_id := current_request_id():
        headers[TRACE] = request_id
    else:
        headers.pop(TRACE, None)  # a message made like an earlier one


@signals.worker_init.connect
def keep(**_: Any) -> None:
    """A worker, and the children that it forks, keep what they count."""
    from waproject.metrics.keeper import keep_metrics

    keep_metrics()


@signals.worker_process_shutdown.connect
def hand_over(**_: Any) -> None:
    """A forked child runs no exit handlers."""
    counters.hand_over()


@signals.task_prerun.connect
def begin(task: Any = None, **_: Any) -> None:
    """Note when the task began, and how long its message had waited by then; its lines have its ids from now on."""
    request = task.request
    request.began, request.work = time.perf_counter(), ExitStack()
    if sent_at := request.get(SENT_AT):
        request.waited = max(0.0, time.time() - sent_at / 1000)
        counters.TASK_WAIT.observe(request.waited, task.name)
    request.touched = request.work.enter_context(work(task=task.name, task_id=request.id, **_requests(request)))


@signals.task_postrun.connect
def end(task: Any = None, state: str | None = None, **_: Any) -> None:
    """Count the run, and say how it went in one line; messages that were joined are one task."""
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
    """The ids of the requests that caused it. Whoever may write to the queue can write something else there."""
    if isinstance(several := request.get(TRACES), list):
        return {"request_ids": [one for one in several[:MOST_IDS] if is_request_id(one)]}
    one = request.get(TRACE)
    return {"request_id": one} if is_request_id(one) else {}
