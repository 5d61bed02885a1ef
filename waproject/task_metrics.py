"""How long tasks wait on their queue and how long they run: Celery's signals, counted."""

import time
from typing import Any

from celery import signals

from waproject import metrics
from waproject.sqs.consumer import SENT_AT

OUTCOMES = {"SUCCESS": "ok", "FAILURE": "failed", "RETRY": "retried", "REJECTED": "rejected"}


@signals.worker_init.connect
def keep(**_: Any) -> None:
    """A worker, and the children that it forks, keep what they count."""
    from waproject.keep_metrics import keep_metrics

    keep_metrics()


@signals.worker_process_shutdown.connect
def hand_over(**_: Any) -> None:
    """A forked child runs no exit handlers."""
    metrics.hand_over()


@signals.task_prerun.connect
def begin(task: Any = None, **_: Any) -> None:
    """Note when the task began, and how long its message had waited by then."""
    request = task.request
    request.began = time.perf_counter()
    if sent_at := request.get(SENT_AT):
        metrics.TASK_WAIT.observe(max(0.0, time.time() - sent_at / 1000), task.name)


@signals.task_postrun.connect
def end(task: Any = None, state: str | None = None, **_: Any) -> None:
    """Count the run."""
    if began := task.request.get("began"):
        metrics.TASK_SECONDS.observe(time.perf_counter() - began, task.name, OUTCOMES.get(state or "", "other"))
