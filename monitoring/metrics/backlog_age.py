"""Age of the oldest message on a queue, estimated from samples.

SQS reports this age to CloudWatch only, minutes late. Samples know how many messages the queue held and how many had
been deleted from it. Messages leave roughly in order of arrival, so the oldest one now is the next after all deleted
ones; it arrived by the first sample at which the sum of both numbers exceeds the messages deleted by now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Level:
    """A queue at one time: the messages that it holds, and those ever deleted from it."""

    at: datetime
    held: float
    deleted: float


def oldest_age(levels: Sequence[Level]) -> float:
    """Seconds, a lower bound as coarse as the samples' interval. The first level is the oldest, the last is now."""
    if not levels or levels[-1].held <= 0:
        return 0.0
    now = levels[-1]
    since_empty: list[Level] = []
    for level in reversed(levels):
        # Current messages arrived after the queue was last empty. This also drops those moved to the dead-letter queue.
        if level.held <= 0:
            break
        since_empty.append(level)
    for level in reversed(since_empty):
        if level.held + level.deleted > now.deleted:
            return (now.at - level.at).total_seconds()
    return 0.0
