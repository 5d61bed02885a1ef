"""Redrive and discard jobs: requested in a request, done by the monitor process in small steps.

A move is a row with a lease. Whoever holds the lease makes one step, some seconds long, and writes down what it did;
when the process dies the lease runs out and the next one goes on. A letter is sent before it is deleted, so a kill may
double one, which a task bears, and loses none.
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
from monitoring.dead_letters.inspect import named
from monitoring.models import Move
from waproject.queues import LANES, Lane
from waproject.sqs import control, moving
from waproject.sqs.sampling import HIDE_S, MOST_SAMPLED, Seen

logger = logging.getLogger(__name__)

MOST_IDS = MOST_SAMPLED
STEP_S = 2.0
# How long one step looks for selected letters among others.
SEARCH_S = 5.0
# Longer than a step with a request at its time-out; then another monitor goes on.
LEASE = timedelta(seconds=30)
TIMEOUT_S = 5.0
# How long what is wanted and not found may be hidden by somebody who looks at it.
HIDDEN = timedelta(seconds=HIDE_S + 1)
IDLE_S = 2
MOST_FAILURES = 8
POLL_S = 1.0
KEPT = timedelta(days=90)


class MoveUnderWay(Exception):
    """The lane's letters are being moved already; one move at a time."""


def ask(lane: Lane, action: Move.Action, message_ids: Sequence[str] | None, by: str) -> Move:
    """Have these letters, or with None all that were sent by now, moved. Raises MoveUnderWay."""
    ids = None if message_ids is None else sorted(set(message_ids))
    try:
        with transaction.atomic():
            move = Move.objects.create(
                lane=lane.name, action=action, message_ids=ids, total=len(ids) if ids else None, asked_by=by[:150]
            )
            record_action(by, f"{action} dead letters", f"dead letters {lane.name}", move=move.pk, letters=ids or "all")
    except IntegrityError as error:
        raise MoveUnderWay(lane.name) from error
    return move


def stop(move_id: int, by: str) -> bool:
    """Ask a move to end where it is; False where it is over."""
    with transaction.atomic():
        asked = Move.objects.filter(pk=move_id, finished_at=None, stop_asked_at=None)
        if not asked.update(stop_asked_at=timezone.now(), due_at=timezone.now()):
            return False
        record_action(by, "stop moving dead letters", f"dead letters {Move.objects.get(pk=move_id).lane}", move=move_id)
    return True


def under_way(lane: Lane) -> Move | None:
    """The lane's move that is not over."""
    return Move.objects.filter(lane=lane.name, finished_at=None).first()


def latest(lane: Lane) -> Move | None:
    """The lane's latest move."""
    return Move.objects.filter(lane=lane.name).first()


def tidy(now: datetime) -> None:
    """Forget moves that are long over; what they did is in the audit log."""
    Move.objects.filter(finished_at__lt=now - KEPT).delete()


class Mover(threading.Thread):
    """Makes the moves, in a thread of the monitor process. Any number may run."""

    def __init__(self) -> None:
        super().__init__(name="dead-letters", daemon=True)
        self._stopping = threading.Event()

    def run(self) -> None:
        """Make steps while there are any; outlive a database that goes away and comes back."""
        while not self._stopping.is_set():
            worked = False
            try:
                worked = work()
            except (OperationalError, InterfaceError):
                connection.close()
            except Exception as error:  # the thread's edge; its words may quote a message
                logger.error("moving dead letters failed: %s", type(error).__name__)
            if not worked:
                self._stopping.wait(POLL_S)
        connection.close()

    def stop(self) -> None:
        """End after the step that is under way."""
        self._stopping.set()
        self.join(SEARCH_S + TIMEOUT_S)


def work() -> bool:
    """Make one step of the move that waits longest; False where none is due. Raises django.db errors."""
    move = _claim()
    if move is None:
        return False
    try:
        if move.stop_asked_at:
            _stop(move)
        elif move.by_sqs:
            _follow(move)
        elif move.state == Move.State.WAITING:
            _begin(move)
        else:
            _step(move)
    except (ClientError, BotoCoreError) as error:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        _try_later(move, f"SQS did not do it: {code}.")
    return True


def _claim() -> Move | None:
    now = timezone.now()
    with transaction.atomic():
        free = Q(lease_until=None) | Q(lease_until__lte=now)
        due = Move.objects.filter(free, finished_at=None, due_at__lte=now).order_by("due_at")
        move = due.select_for_update(skip_locked=True).first()
        if move is not None:
            move.lease_until = now + LEASE
            move.save(update_fields=["lease_until"])
    return move


def _begin(move: Move) -> None:
    """Count the letters; SQS makes the move by itself where it can, which is for all letters of a queue alone."""
    lane, sqs = LANES[move.lane], _sqs()
    by_sqs = False
    if move.message_ids is None:
        move.total = control.depth(sqs, lane.dlq_url).total
        if move.action == Move.Action.REDRIVE:
            source, target = control.arn(sqs, lane.dlq_url), control.arn(sqs, lane.url)
            by_sqs = moving.start_move_task(sqs, source, target, settings.DLQ_MOVES_PER_SECOND)
    _record(move, due_in=1 if by_sqs else 0, by_sqs=by_sqs)


def _follow(move: Move) -> None:
    sqs = _sqs()
    task = moving.move_task(sqs, control.arn(sqs, LANES[move.lane].dlq_url))
    done = task.moved if task else move.done
    if task and task.status in {"RUNNING", "CANCELLING"}:
        _record(move, due_in=1, done=done)
    elif task and task.status == "FAILED":
        _finish(move, Move.State.FAILED, f"SQS gave up: {task.reason}"[:300], done=done)
    else:
        _finish(move, Move.State.STOPPED if task and task.status == "CANCELLED" else Move.State.DONE, done=done)


def _stop(move: Move) -> None:
    if move.by_sqs:
        sqs = _sqs()
        moving.cancel_move_task(sqs, control.arn(sqs, LANES[move.lane].dlq_url))
    _finish(move, Move.State.STOPPED)


def _step(move: Move) -> None:
    """Move what is found within some seconds. Letters sent after the move was asked for are not meant."""
    lane, sqs = LANES[move.lane], _sqs()
    discards = move.action == Move.Action.DISCARD
    left = None if move.message_ids is None else set(move.message_ids)

    def wanted(seen: Seen) -> bool:
        return seen.sent_at <= move.asked_at if left is None else seen.message_id in left

    def before(letters: Sequence[Seen]) -> None:
        if discards:  # written down first: what was discarded cannot be asked any more
            about = [named(letter, lane) for letter in letters]
            record_action(move.asked_by, "discard", f"dead letters {lane.name}", move=move.pk, letters=about)

    pace = settings.DLQ_MOVES_PER_SECOND
    made = moving.step(
        sqs,
        lane.dlq_url,
        None if discards else lane.url,
        wanted=wanted,
        before=before,
        per_second=pace,
        most=max(1, int(pace * STEP_S)) if left is None else len(left),
        seconds=STEP_S if left is None else SEARCH_S,
    )
    if left is not None:
        left -= set(made.done)
        move.message_ids = sorted(left)
    if made.refused and not made.done:
        _try_later(move, "SQS refused to take them.")
        return
    if made.done:
        move.idle_since = None
    elif move.idle_since is None:
        move.idle_since = timezone.now()
    if _is_over(move, made, sqs):
        missing = f"{len(left)} were not there any more." if left else ""
        _finish(move, Move.State.DONE, missing, done=F("done") + len(made.done))
    else:
        _record(move, due_in=0 if made.done else IDLE_S, done=F("done") + len(made.done))


def _is_over(move: Move, made: moving.Step, sqs: Any) -> bool:
    if move.message_ids == []:
        return True
    if move.idle_since is None:
        return False
    if timezone.now() - move.idle_since >= HIDDEN:
        return True
    # Nothing is hidden that could still come.
    return made.drained and control.depth(sqs, LANES[move.lane].dlq_url).in_flight == 0


def _record(move: Move, due_in: float, **fields: object) -> None:
    """Write down a step; the next one may be anybody's."""
    now = timezone.now()
    fields = {
        "state": Move.State.RUNNING, "failures": 0, "error": "", "total": move.total, "idle_since": move.idle_since,
        "message_ids": move.message_ids, "due_at": now + timedelta(seconds=due_in), "lease_until": None, **fields,
    }  # fmt: skip
    Move.objects.filter(pk=move.pk, finished_at=None).update(**fields)


def _finish(move: Move, state: Move.State, error: str = "", **fields: object) -> None:
    _record(move, 0, state=state, error=error, finished_at=timezone.now(), **fields)
    logger.info("dead letters of queue %s: %s %s", move.lane, move.action, state)


def _try_later(move: Move, words: str) -> None:
    """Try again soon, some times; then end."""
    failures = move.failures + 1
    if failures >= MOST_FAILURES:
        _finish(move, Move.State.FAILED, words)
    else:
        _record(move, due_in=min(30, 2**failures), failures=failures, error=words)


def _sqs() -> Any:
    return control.client(settings.AWS_REGION, TIMEOUT_S)
