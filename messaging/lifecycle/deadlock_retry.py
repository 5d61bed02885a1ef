"""Retries of statements that lost a deadlock or a unique constraint to a concurrent one."""

import functools
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, transaction

DEADLOCK_DETECTED = "40P01"
# Unique constraints that two workers race for: each gives one number or BSUID to another contact. On the retry the
# second worker sees the first one's contact and merges.
CONTACT_CONSTRAINTS = frozenset({"contact_phone", "contact_user_id"})
MAX_TRIES = 4

P = ParamSpec("P")
T = TypeVar("T")


def retry_on_deadlock(function: Callable[P, T]) -> Callable[P, T]:
    """Retry a function that lost a deadlock or a unique constraint; inside a caller's transaction, raise the error."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        for attempt in range(1, MAX_TRIES + 1):
            try:
                return function(*args, **kwargs)
            except (OperationalError, IntegrityError) as error:
                if not _lost_a_race(error) or attempt == MAX_TRIES or transaction.get_connection().in_atomic_block:
                    raise
                time.sleep(0.02 * attempt)
        raise AssertionError("unreachable")

    return run


def _lost_a_race(error: Exception) -> bool:
    cause = error.__cause__
    constraint = getattr(getattr(cause, "diag", None), "constraint_name", None)
    return getattr(cause, "pgcode", None) == DEADLOCK_DETECTED or constraint in CONTACT_CONSTRAINTS
