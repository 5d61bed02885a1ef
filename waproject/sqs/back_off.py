"""Jittered back-off after SQS failures."""

import random

BASE_S = 0.2
MAX_S = 20.0


def back_off(failures: int) -> float:
    """Seconds to wait after the `failures`-th failure in a row, doubling, with jitter so that workers spread out."""
    return min(MAX_S, BASE_S * 2.0 ** min(failures - 1, 10)) * random.uniform(0.5, 1.0)  # noqa: S311
