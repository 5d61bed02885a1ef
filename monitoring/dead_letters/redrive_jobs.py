"""Redrive jobs, which redrive or discard: requested through the API or admin, run by the monitor in small steps.

A job is a RedriveJob row with a lease. The holder of the lease runs one step of a few seconds and records its
progress. If that process dies, the lease expires and another one continues. A message is sent before it is deleted, so
a kill may duplicate one, which every task tolerates, and loses none.
"""

import logging
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from messaging.access import record_action
from monitoring.dead_letters.inspect import audit_details
from monitoring.models import RedriveJob
from waproject.queues import LANES, Lane
from waproject.sqs import control, moving
from waproject.sqs.back_off import back_off
from waproject.sqs.sampling import HIDE_S, MAX_SAMPLED
from waproject.sqs.sampling import SampledMessage as ReceivedMessage

logger = logging.getLogger(__name__)

MAX_IDS = MAX_SAMPLED
STEP_S = 2.0
# How long one step searches for selected messages among others.
SEARCH_S = 5.0
# Longer than a step whose request times out; after it another monitor continues.
LEASE = timedelta(seconds=30)
TIMEOUT_S = 5.0
# A message that is not found may be hidden for this long by an inspection.
HIDDEN_FOR = timedelta(seconds=HIDE_S + 1)
# How long messages are searched for among others before the job gives up.
SEARCH_FOR = timedelta(minutes=2)
IDLE_S = 2
MAX_FAILURES = 8
FIRST_BACK_OFF_S, LONGEST_BACK_OFF_S = 2.0, 30.0
POLL_S = 1.0
KEPT_FOR = timedelta(days=90)


class JobInProgress(Exception):
    """The lane has an active job already; there is one at a time."""


def request_job(lane: Lane, action: RedriveJob.Action, message_ids: Sequence[str] | None, by: str) -> RedriveJob:
    """Create a job for these messages, or with None for all that were sent by now. Raises JobInProgress."""
    ids = None if message_ids is None else sorted(set(message_ids))
    try:
        with transaction.atomic():
            job = RedriveJob.objects.create(
                lane=lane.name, action=action, message_ids=ids, total=len(ids) if ids else None, requested_by=by[:150]
            )
            record_action(by, f"{action} dead letters", f"dead letters {lane.name}", move=job.pk, letters=ids or "all")
    except IntegrityError as error:
        raise JobInProgress(lane.name) from error
    return job


def stop(job_id: int, by: str) -> bool:
    """Stop a job after its current step; False if it has finished."""
    with transaction.atomic():
        active = RedriveJob.objects.filter(pk=job_id, finished_at=None, stop_requested_at=None)
        if not active.update(stop_requested_at=timezone.now(), due_at=timezone.now()):
            return False
        record_action(
            by, "stop moving dead letters", f"dead letters {RedriveJob.objects.get(pk=job_id).lane}", move=job_id
        )
    return True


def active_job(lane: Lane) -> RedriveJob | None:
    """The lane's unfinished job, if any."""
    return RedriveJob.objects.filter(lane=lane.name, finished_at=None).first()


def latest(lane: Lane) -> RedriveJob | None:
    """The lane's latest job, if any."""
    return RedriveJob.objects.filter(lane=lane.name).first()


def delete_expired(now: datetime) -> None:
    """Delete jobs that finished 90 days ago; the audit log keeps what they did."""
    RedriveJob.objects.filter(finished_at__lt=now - KEPT_FOR).delete()


class RedriveRunner(threading.Thread):
    """Runs the jobs, in a thread of the monitor process. Any number of runners may run at once."""

    def __init__(self) -> None:
        super().__init__(name="dead-letters", daemon=True)
        self._stopping = threading.Event()

    def run(self) -> None:
        """Run steps until stopped; survives outages of the database."""
        while not self._stopping.is_set():
            ran = False
            try:
                ran = run_step()
            except (OperationalError, InterfaceError):
                connection.close()
            except Exception as error:  # the thread's edge
                logger.error("the redrive jobs cannot be read: %s", type(error).__name__)
            if not ran:
                self._stopping.wait(POLL_S)
        connection.close()

    def stop(self) -> None:
        """Stop after the current step."""
        self._stopping.set()
        self.join(SEARCH_S + TIMEOUT_S)


def run_step() -> bool:
    """Run one step of the job that has been due longest; False if none is due. Raises django.db errors."""
    job = _claim()
    if job is None:
        return False
    try:
        if job.stop_requested_at:
            _stop(job)
        elif job.by_sqs:
            _follow(job)
        elif job.state == RedriveJob.State.WAITING:
            _start(job)
        else:
            _step(job)
    except (ClientError, BotoCoreError) as error:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        _back_off(job, f"SQS refused the request: {code}.")
    except (OperationalError, InterfaceError):
        raise
    except (
        Exception
    ) as error:  # its message may quote a dead letter; without an end it would block the lane's other jobs
        logger.error("moving dead letters of queue %s failed: %s", job.lane, type(error).__name__)
        _back_off(job, f"The step failed: {type(error).__name__}.")
    return True


def _claim() -> RedriveJob | None:
    now = timezone.now()
    with transaction.atomic():
        free = Q(lease_until=None) | Q(lease_until__lte=now)
        due = RedriveJob.objects.filter(free, finished_at=None, due_at__lte=now).order_by("due_at")
        job = due.select_for_update(skip_locked=True).first()
        if job is not None:
            job.lease_until = now + LEASE
            job.save(update_fields=["lease_until"])
    return job


def _start(job: RedriveJob) -> None:
    """Count the messages. SQS itself redrives all messages of a queue where it supports that."""
    lane, sqs = LANES[job.lane], _sqs()
    by_sqs = False
    if job.message_ids is None:
        job.total = control.depth(sqs, lane.dlq_url).total
        if job.action == RedriveJob.Action.REDRIVE:
            source, target = control.arn(sqs, lane.dlq_url), control.arn(sqs, lane.url)
            by_sqs = moving.start_move_task(sqs, source, target, settings.DLQ_MOVES_PER_SECOND)
    _record(job, due_in=1 if by_sqs else 0, by_sqs=by_sqs)


def _follow(job: RedriveJob) -> None:
    sqs = _sqs()
    task = moving.move_task(sqs, control.arn(sqs, LANES[job.lane].dlq_url))
    done = task.moved if task else job.done
    if task and task.status in {"RUNNING", "CANCELLING"}:
        _record(job, due_in=1, done=done)
    elif task and task.status == "FAILED":
        _finish(job, RedriveJob.State.FAILED, f"SQS failed: {task.reason}"[:300], done=done)
    else:
        _finish(
            job, RedriveJob.State.STOPPED if task and task.status == "CANCELLED" else RedriveJob.State.DONE, done=done
        )


def _stop(job: RedriveJob) -> None:
    if job.by_sqs:
        sqs = _sqs()
        moving.cancel_move_task(sqs, control.arn(sqs, LANES[job.lane].dlq_url))
    _finish(job, RedriveJob.State.STOPPED)


def _step(job: RedriveJob) -> None:
    """Move the messages that are found within a few seconds, but none that was sent after the request."""
    lane, sqs = LANES[job.lane], _sqs()
    discards = job.action == RedriveJob.Action.DISCARD
    remaining = None if job.message_ids is None else set(job.message_ids)

    def wanted(received: ReceivedMessage) -> bool:
        return received.sent_at <= job.requested_at if remaining is None else received.message_id in remaining

    def before(batch: Sequence[ReceivedMessage]) -> None:
        if discards:  # recorded first: a discarded message cannot be read again
            discarded = [audit_details(received, lane) for received in batch]
            record_action(job.requested_by, "discard", f"dead letters {lane.name}", move=job.pk, letters=discarded)

    pace = settings.DLQ_MOVES_PER_SECOND
    result = moving.step(
        sqs,
        lane.dlq_url,
        None if discards else lane.url,
        wanted=wanted,
        before=before,
        per_second=pace,
        limit=max(1, int(pace * STEP_S)) if remaining is None else len(remaining),
        seconds=STEP_S if remaining is None else SEARCH_S,
    )
    if remaining is not None:
        remaining -= set(result.done)
        job.message_ids = sorted(remaining)
    if result.refused and not result.done:
        _back_off(job, "SQS rejected the messages.")
        return
    if result.done:
        job.idle_since = None
    elif job.idle_since is None:
        job.idle_since = timezone.now()
    if _is_finished(job, result, sqs):
        state, error = _outcome(len(remaining or ()), result)
        _finish(job, state, error, done=F("done") + len(result.done))
    else:
        _record(job, due_in=result.wait_s if result.done else IDLE_S, done=F("done") + len(result.done))


def _is_finished(job: RedriveJob, result: moving.Step, sqs: Any) -> bool:
    if job.message_ids == []:
        return True
    if job.idle_since is None:
        return False
    idle_for = timezone.now() - job.idle_since
    if job.message_ids and not result.drained:
        return idle_for >= SEARCH_FOR
    if idle_for >= HIDDEN_FOR:
        return True
    # No message is hidden that could still appear.
    return result.drained and control.depth(sqs, LANES[job.lane].dlq_url).in_flight == 0


def _outcome(missing: int, result: moving.Step) -> tuple[RedriveJob.State, str]:
    """The state and the error of a finished job; `missing`: how many selected messages it has not found."""
    if missing and not result.drained:
        return RedriveJob.State.FAILED, f"{missing} were not found: the queue has too many other messages."
    return RedriveJob.State.DONE, f"{missing} were no longer on the queue." if missing else ""


def _record(job: RedriveJob, due_in: float, **fields: object) -> None:
    """Record a step and release the lease."""
    now = timezone.now()
    fields = {
        "state": RedriveJob.State.RUNNING, "failures": 0, "error": "", "total": job.total, "idle_since": job.idle_since,
        "message_ids": job.message_ids, "due_at": now + timedelta(seconds=due_in), "lease_until": None, **fields,
    }  # fmt: skip
    RedriveJob.objects.filter(pk=job.pk, finished_at=None).update(**fields)


def _finish(job: RedriveJob, state: RedriveJob.State, error: str = "", **fields: object) -> None:
    _record(job, 0, state=state, error=error, finished_at=timezone.now(), **fields)
    logger.info("dead letters of queue %s: %s %s", job.lane, job.action, state)


def _back_off(job: RedriveJob, error: str) -> None:
    """Retry with back-off; after MAX_FAILURES the job has failed."""
    failures = job.failures + 1
    if failures >= MAX_FAILURES:
        _finish(job, RedriveJob.State.FAILED, error)
    else:
        _record(job, due_in=back_off(failures, FIRST_BACK_OFF_S, LONGEST_BACK_OFF_S), failures=failures, error=error)


def _sqs() -> Any:
    return control.client(settings.AWS_REGION, TIMEOUT_S)
