"""The last error of a failed task, kept for its dead letter: SQS keeps the message without the reason.

Written by the worker as the task fails, one statement; read by task id, which a message keeps through all its receives.
"""

import logging
import re
import time
import traceback
from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Any

from billiard.exceptions import TimeLimitExceeded
from celery import signals
from django.conf import settings
from django.db import Error, IntegrityError, ProgrammingError, connection, transaction

from monitoring.models import TaskFailure
from monitoring.models.dead_letters import TASK_ID_LENGTH
from waproject.logs.masking import MASK, mask
from waproject.sqs.joining import JOINED

logger = logging.getLogger(__name__)

# A dead-letter queue keeps its messages 14 days, counted from the first send.
KEPT = timedelta(days=15)
MOST_ROWS = 100_000
# Rows that one process writes a second: when everything fails, one row says as much as a thousand.
PER_SECOND = 20
WORDS_LENGTH = 300

# What an error quotes may be somebody's text. Of these errors it is a name in code or of a table; of their values
# PostgreSQL speaks in DETAIL, which is cut.
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_NAME = re.compile(r"['\"][A-Za-z_][\w.]{0,60}['\"]")
_QUOTES_NAMES = (KeyError, AttributeError, TypeError, NameError, ImportError, ProgrammingError, IntegrityError)

_written: list[float] = []


def install() -> None:
    """Connect to Celery's signal, in workers and the processes that they fork."""
    signals.task_failure.connect(_note)


def failures_of(task_ids: Collection[str]) -> dict[str, TaskFailure]:
    """What is known, by task id."""
    keys = {task_id[:TASK_ID_LENGTH]: task_id for task_id in task_ids if "\0" not in task_id}
    return {keys[row.task_id]: row for row in TaskFailure.objects.filter(task_id__in=keys)}


def tidy(now: datetime) -> None:
    """Forget what no dead letter can ask for any more, and the oldest of what is too much."""
    TaskFailure.objects.filter(last_at__lt=now - KEPT).delete()
    beyond = TaskFailure.objects.order_by("-last_at").values_list("last_at", flat=True)[MOST_ROWS : MOST_ROWS + 1]
    for oldest in list(beyond):
        TaskFailure.objects.filter(last_at__lte=oldest).delete()


def words_of(error: BaseException) -> str:
    """An error's first line without what it quotes, without numbers, keys, and what PostgreSQL says of rows."""
    lines = mask(str(error)).strip().splitlines()
    keeps_names = isinstance(error, _QUOTES_NAMES)

    def quoted(match: re.Match[str]) -> str:
        return match[0] if keeps_names and _NAME.fullmatch(match[0]) else MASK

    return _QUOTED.sub(quoted, lines[0] if lines else "")[:WORDS_LENGTH]


def place_of(trace: TracebackType | None) -> str:
    """The innermost line of our own code in a traceback, such as `analytics/storage.py:41 in store`."""
    for frame in reversed(traceback.extract_tb(trace)):
        path = Path(frame.filename)
        if path.is_relative_to(settings.BASE_DIR) and "site-packages" not in path.parts:
            return f"{path.relative_to(settings.BASE_DIR)}:{frame.lineno} in {frame.name}"
    return ""


def _note(sender: Any = None, task_id: str = "", exception: Any = None, traceback: Any = None, **_: Any) -> None:
    """Called while the task fails: whatever goes wrong here must not make it worse."""
    if sender.request.get(JOINED) or not _may_write():
        return  # each of joined messages is tried alone next
    try:
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()  # it may be what the task failed of
        trace = traceback if isinstance(traceback, TracebackType) else None
        _write(task_id, sender.name, type(exception).__name__, words_of(exception), place_of(trace))
    except Error as error:
        logger.warning("why a task failed could not be kept: %s", type(error).__name__)
    finally:
        if isinstance(exception, TimeLimitExceeded):
            # Noted by a pool's parent, which is about to fork: its child must not inherit a connection.
            connection.close()


def _may_write() -> bool:
    now = time.monotonic()
    _written[:] = [*takewhile(lambda at: now - at < 1, reversed(_written))][::-1]
    if len(_written) >= PER_SECOND:
        return False
    _written.append(now)
    return True


def _write(*row: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO monitoring_taskfailure AS f (task_id, task, error, words, place, first_at, last_at, times)
            VALUES (left(%s, 100), left(%s, 100), left(%s, 100), %s, left(%s, 200), now(), now(), 1)
            ON CONFLICT (task_id) DO UPDATE SET error = excluded.error, words = excluded.words,
              place = excluded.place, last_at = excluded.last_at, times = f.times + 1
            """,
            row,
        )
