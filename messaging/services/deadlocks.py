"""PostgreSQL breaks a deadlock by failing one of the statements; that one is simply run again."""

import functools
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import OperationalError, transaction

DEADLOCK_DETECTED = "40P01"
TRIES = 4

P = ParamSpec("P")
T = TypeVar("T")


def retrying_deadlocks(function: Callable[P, T]) -> Callable[P, T]:
    """Run again what a deadlock ended. Inside a caller's transaction the deadlock is the caller's: it is raised."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        for attempt in range(1, TRIES + 1):
            try:
                return function(*args, **kwargs)
            except OperationalError as error:
                deadlock = getattr(error.__cause__, "pgcode", None) == DEADLOCK_DETECTED
                if not deadlock or attempt == TRIES or transaction.get_connection().in_atomic_block:
                    raise
                time.sleep(0.02 * attempt)
        raise AssertionError("unreachable")

    return run
