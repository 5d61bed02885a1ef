"""Jittered back-off after SQS failures."""

import random

FIRST_S = 0.2
LONGEST_S = 20.0


def back_off(failures: int) -> float:
    """Seconds to wait after the `failures`-th failure in a row, doubling, with jitter so that workers spread out."""
    return min(LONGEST_S, FIRST_S * 2.0 ** min(failures - 1, 10)) * random.uniform(0.5, 1.0)  # noqa: S311
