"""Age of the oldest message on a queue, estimated from samples.

SQS tells this only to CloudWatch, minutes late. What is known here: how many messages a queue held at each sample, and
how many were deleted by then. Messages leave roughly in the order they came, so the oldest one now is the next after
all that were deleted by now, and it had come by the first sample at which more had come than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Level:
    """A queue at one moment: how many messages it holds, and how many were ever deleted from it."""

    at: datetime
    held: float
    deleted: float


def oldest_age(levels: Sequence[Level]) -> float:
    """Seconds, a lower bound as coarse as the samples are; the oldest level first, the last one is now."""
    if not levels or levels[-1].held <= 0:
        return 0.0
    now = levels[-1]
    since_empty: list[Level] = []
    for level in reversed(levels):
        # What is here now came after the queue was empty; this also forgets what went to the dead-letter queue.
        if level.held <= 0:
            break
        since_empty.append(level)
    for level in reversed(since_empty):
        if level.held + level.deleted > now.deleted:
            return (now.at - level.at).total_seconds()
    return 0.0
