"""Deletion in steps: one short step at a time, in one `deliver` process at a time.

A step takes 10 to 20 milliseconds; after it the process rests four times as long, so that retention takes a fifth of
one connection at most and no lane feels it. The progress is in the database: another process, or the same one after a
kill, continues at the next key.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from messaging.models import RetentionProgress
from messaging.retention.rules import Rule, registered

# A pass deletes what has become old since the last one.
PASS_EVERY = timedelta(hours=1)
# A full pass starts at the first key again, for rows that could not be deleted yet when earlier passes reached them.
FULL_PASS_EVERY = timedelta(days=7)
# The wait of a rule after a failed step.
RETRY_AFTER = timedelta(minutes=10)
REST = 4.0
IDLE_S = 60.0
# Of pg_try_advisory_xact_lock: any number that nothing else uses.
_LOCK = 7_203_114
_NEVER = datetime.min.replace(tzinfo=UTC)


def run_step(now: datetime | None = None, *, waits: bool = False) -> bool:
    """Run one step of the rule that has been due the longest, unless another process runs one: `waits` waits for its
    end. Returns whether there may be more.

    Raises what the step raises; that rule then waits, and the next call goes on with the others.
    """
    now, due = now or timezone.now(), None
    try:
        with transaction.atomic():
            due = _longest_due(now) if _lock(waits=waits) else None
            if due is not None:
                _advance(*due, now)
    except Exception:
        if due is not None:
            _put_off(due[0], now)
        raise
    return due is not None


def housekeeping(clock: Callable[[], float] = time.monotonic) -> float:
    """One step; returns the seconds of rest after it."""
    began = clock()
    return (clock() - began) * REST if run_step() else IDLE_S


def _lock(*, waits: bool) -> bool:
    with connection.cursor() as cursor:
        if waits:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _longest_due(now: datetime) -> tuple[Rule, datetime, RetentionProgress] | None:
    """The rule that has been due the longest; one that has not begun comes first."""
    progress = RetentionProgress.objects.in_bulk()
    found = [
        (rule, cutoff, progress.get(rule.name) or RetentionProgress(rule=rule.name, next_at=_NEVER))
        for rule in registered()
        if (cutoff := rule.cutoff()) is not None
    ]
    due = [one for one in found if one[2].next_at <= now]
    return min(due, key=lambda one: one[2].next_at, default=None)


def _put_off(rule: Rule, now: datetime) -> None:
    RetentionProgress.objects.bulk_create([RetentionProgress(rule=rule.name)], ignore_conflicts=True)
    RetentionProgress.objects.filter(rule=rule.name).update(next_at=now + RETRY_AFTER)


def _advance(rule: Rule, cutoff: datetime, row: RetentionProgress, now: datetime) -> None:
    if not row.position:
        row.began_at = now
    step = rule.step(cutoff, row.position)
    # Due again at once, and behind the others that are due.
    row.next_at = now
    row.position = step.position
    if step.removed:
        row.removed += step.removed
        row.removed_at = now
    if step.is_end:
        row.next_at = now + PASS_EVERY
        if now - row.began_at >= FULL_PASS_EVERY:
            row.position = ""
    row.save()
