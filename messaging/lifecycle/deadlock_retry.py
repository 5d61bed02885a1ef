"""Retries of statements that lost a deadlock or a unique constraint to a concurrent one."""

import functools
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, transaction

DEADLOCK_DETECTED = "40P01"
# Two workers give one number or BSUID to two contacts: the second sees the first's and merges.
TAKEN = frozenset({"contact_phone", "contact_user_id"})
TRIES = 4

P = ParamSpec("P")
T = TypeVar("T")


def retrying_deadlocks(function: Callable[P, T]) -> Callable[P, T]:
    """Run again what lost a race. Inside a caller's transaction the error is the caller's: it is raised."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        for attempt in range(1, TRIES + 1):
            try:
                return function(*args, **kwargs)
            except (OperationalError, IntegrityError) as error:
                if not _lost_a_race(error) or attempt == TRIES or transaction.get_connection().in_atomic_block:
                    raise
                time.sleep(0.02 * attempt)
        raise AssertionError("unreachable")

    return run


def _lost_a_race(error: Exception) -> bool:
    cause = error.__cause__
    constraint = getattr(getattr(cause, "diag", None), "constraint_name", None)
    return getattr(cause, "pgcode", None) == DEADLOCK_DETECTED or constraint in TAKEN
