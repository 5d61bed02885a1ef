"""The last error of each failed task, shown with its dead letter: SQS keeps the message without the reason.

The worker writes it in one statement when the task fails. A message keeps its task id over all receives.
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

from messaging.whatsapp.storable import storable_text
from monitoring.models import TaskFailure
from monitoring.models.dead_letters import TASK_ID_LENGTH
from waproject.logs.masking import MASK, mask
from waproject.sqs.joining import JOINED

logger = logging.getLogger(__name__)

# A dead-letter queue keeps messages for 14 days from their first send.
KEPT_FOR = timedelta(days=15)
MAX_ROWS = 100_000
# The most rows that one process writes a second: if every task fails, further rows add nothing.
PER_SECOND = 20
MESSAGE_LENGTH = 300

# A quoted part of an error's message may be a user's text. The errors below quote names of code or tables; PostgreSQL
# puts values into its DETAIL line, which is cut off.
# A quote that nothing closes goes to the end: a search that began anew at each would take hours for 1 MB of them. An
# apostrophe within a word opens nothing; the prefix of bytes does not count.
_QUOTED = re.compile(r"(?:(?<!\w)|(?<=\bb))'(?:[^'\\]|\\.)*+(?:'|\\?\Z)|\"(?:[^\"\\]|\\.)*+(?:\"|\\?\Z)")
_NAME = re.compile(r"['\"][A-Za-z_][\w.]{0,60}['\"]")
_QUOTES_NAMES = (KeyError, AttributeError, TypeError, NameError, ImportError, ProgrammingError, IntegrityError)

_recent_writes: list[float] = []


def install() -> None:
    """Connect to Celery's signal, in workers and the processes that they fork."""
    signals.task_failure.connect(_record)


def failures_of(task_ids: Collection[str]) -> dict[str, TaskFailure]:
    """The recorded failures, by task id."""
    keys = {task_id[:TASK_ID_LENGTH]: task_id for task_id in task_ids if "\0" not in task_id}
    return {keys[row.task_id]: row for row in TaskFailure.objects.filter(task_id__in=keys)}


def delete_expired(now: datetime) -> None:
    """Delete failures that are older than any dead letter, and the oldest ones beyond MAX_ROWS."""
    TaskFailure.objects.filter(last_at__lt=now - KEPT_FOR).delete()
    beyond = TaskFailure.objects.order_by("-last_at").values_list("last_at", flat=True)[MAX_ROWS : MAX_ROWS + 1]
    for oldest in list(beyond):
        TaskFailure.objects.filter(last_at__lte=oldest).delete()


def message_of(error: BaseException) -> str:
    """The first line of an error's message without quoted values, phone numbers and keys, as it can be stored."""
    lines = mask(str(error)).strip().splitlines()
    keeps_names = isinstance(error, _QUOTES_NAMES)

    def quoted(match: re.Match[str]) -> str:
        return match[0] if keeps_names and _NAME.fullmatch(match[0]) else MASK

    return storable_text(_QUOTED.sub(quoted, lines[0] if lines else ""))[:MESSAGE_LENGTH]


def location_of(trace: TracebackType | None) -> str:
    """The innermost line of our own code in a traceback, such as `analytics/storage.py:41 in store`."""
    for frame in reversed(traceback.extract_tb(trace)):
        path = Path(frame.filename)
        if path.is_relative_to(settings.BASE_DIR) and "site-packages" not in path.parts:
            return f"{path.relative_to(settings.BASE_DIR)}:{frame.lineno} in {frame.name}"
    return ""


def _record(sender: Any, task_id: str, exception: Any, traceback: Any, **_: Any) -> None:
    """Runs while the task fails, so it must not raise."""
    if sender.request.get(JOINED) or not _may_write():
        return  # each of the joined messages is next retried alone
    try:
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()  # the connection may be the cause of the failure
        trace = traceback if isinstance(traceback, TracebackType) else None
        _write(task_id, sender.name, type(exception).__name__, message_of(exception), location_of(trace))
    except Error as error:
        logger.warning("the failure of a task could not be recorded: %s", type(error).__name__)
    finally:
        if isinstance(exception, TimeLimitExceeded):
            # The pool's parent runs this just before a fork: the child must not inherit a connection.
            connection.close()


def _may_write() -> bool:
    now = time.monotonic()
    _recent_writes[:] = [*takewhile(lambda at: now - at < 1, reversed(_recent_writes))][::-1]
    if len(_recent_writes) >= PER_SECOND:
        return False
    _recent_writes.append(now)
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
