"""Deletion in steps: one short step at a time, in one `deliver` process at a time.

A step takes 10 to 20 milliseconds; after it the process rests four times as long, so that retention takes a fifth of
one connection at most and no lane feels it. The progress is in the database: another process, or the same one after a
kill, continues at the next key.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from messaging.models import RetentionProgress
from messaging.retention.rules import Rule, Step, registered

logger = logging.getLogger(__name__)

# Between two passes over what has become old since the last one.
PASS_EVERY = timedelta(hours=1)
# A pass that begins at the beginning finds the rows that had to wait when an earlier one went by.
FULL_PASS_EVERY = timedelta(days=7)
REST = 4.0
IDLE_S = 60.0
# Of pg_try_advisory_xact_lock: any number that nothing else uses.
_LOCK = 7_203_114


def run_step(now: datetime | None = None) -> bool:
    """One step of the first rule that is due, unless another process is at it. Returns whether there may be more."""
    now = now or timezone.now()
    with transaction.atomic():
        due = _first_due(now) if _try_lock() else None
        if due is not None:
            _advance(*due, now)
    return due is not None


def housekeeping(clock: Callable[[], float] = time.monotonic) -> float:
    """One step; returns the seconds of rest after it."""
    began = clock()
    return (clock() - began) * REST if run_step() else IDLE_S


def _try_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _first_due(now: datetime) -> tuple[Rule, datetime, RetentionProgress] | None:
    progress = RetentionProgress.objects.in_bulk()
    for rule in registered():
        cutoff = rule.cutoff()
        if cutoff is None:
            continue
        row = progress.get(rule.name) or RetentionProgress(rule=rule.name, began_at=now, next_at=now)
        if row.next_at <= now:
            return rule, cutoff, row
    return None


def _advance(rule: Rule, cutoff: datetime, row: RetentionProgress, now: datetime) -> None:
    if not row.position:
        row.began_at = now
    step = _step(rule, cutoff, row.position)
    if step is None:
        row.next_at = now + PASS_EVERY
        row.save()
        return
    row.position = step.position
    if step.removed:
        row.removed += step.removed
        row.removed_at = now
    if step.is_end:
        row.next_at = now + PASS_EVERY
        if now - row.began_at >= FULL_PASS_EVERY:
            row.position = ""
    row.save()


def _step(rule: Rule, cutoff: datetime, position: str) -> Step | None:
    """The step; None if it failed, which must not keep the rules behind it from their turn."""
    try:
        with transaction.atomic():
            return rule.step(cutoff, position)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # the text of an error may quote a row
        logger.error("retention of %s failed: %s", rule.name, type(error).__name__)
        return None
