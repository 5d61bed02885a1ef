"""The budget of new recipients within a portfolio's messaging limit. Pure arithmetic."""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from messaging.models import Priority

# Meta's moving 24 hours. A recipient counts some minutes longer: a released message may wait that long for its call
# (recovery.UNCLAIMED_AFTER_MAX_S), Meta's clock is not ours, and recipients are counted by the minute.
WINDOW = timedelta(hours=24)
COUNTED_FOR = WINDOW + timedelta(minutes=6)
MINUTE = timedelta(minutes=1)
# A forecast looks this far ahead.
HORIZON = timedelta(days=60)


def counted_from(now: datetime) -> datetime:
    """The first minute that counts now."""
    return (now - COUNTED_FOR).replace(second=0, microsecond=0)


@dataclass(slots=True)
class Budget:
    """`users`: the limit; `opened`: recipients that count now; `high_share`: of the limit, for high priority alone."""

    users: int
    opened: int
    high_share: float

    def cap(self, priority: int) -> int:
        """How many recipients may count when a message of this priority opens one."""
        return self.users if priority == Priority.HIGH else self.users - math.ceil(self.users * self.high_share)

    def remaining(self, priority: int) -> int:
        """How many new recipients messages of this priority may open now."""
        return max(0, self.cap(priority) - self.opened)

    def take(self) -> None:
        """Count a new recipient."""
        self.opened += 1


def done_at(
    now: datetime, cap: int, opened: int, counts: Iterable[tuple[datetime, int]], needed: int
) -> datetime | None:
    """When the last of `needed` new recipients may be opened; None: not within HORIZON.

    `counts`: the recipients that count now, by the minute in which they were opened.
    """
    free = cap - opened
    if needed <= free:
        return now
    leaving = deque(sorted((minute + MINUTE + COUNTED_FOR, recipients) for minute, recipients in counts))
    if free > 0:
        leaving.append((now + COUNTED_FOR, free))
        needed -= free
    excess = max(0, -free)
    while leaving:
        at, recipients = leaving.popleft()
        if at - now > HORIZON:
            return None
        usable = max(0, recipients - excess)
        excess = max(0, excess - recipients)
        taken = min(usable, needed)
        needed -= taken
        if not needed:
            return max(at, now)
        if taken:
            leaving.append((at + COUNTED_FOR, taken))
    return None
