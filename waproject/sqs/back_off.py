"""Jittered exponential back-off."""

import random

BASE_S = 0.2
MAX_S = 20.0


def back_off(failures: int, base: float = BASE_S, longest: float = MAX_S) -> float:
    """Seconds to wait after the `failures`-th failure in a row: `base`, doubling up to `longest`, less up to a half.

    The jitter spreads the requests of many workers. The defaults are for requests to SQS.
    """
    return min(longest, base * 2.0 ** min(failures - 1, 10)) * random.uniform(0.5, 1.0)  # noqa: S311
