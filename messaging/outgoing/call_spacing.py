"""Spacing of a number's calls in one worker: calls keep a distance, and no second has more than Meta allows.

A call is scheduled (`rate_limits.Schedule`), yet its task may reach the worker late, and its thread may run late. Late
calls keep a distance, so that several late workers together stay within the limit. In addition, with a limit of n a
second, each call waits until a second after the n-th call before it, counted from the time at which that call left.
"""

from collections import deque
from dataclasses import dataclass

# Late calls leave this much more than Meta's limit asks. That is quicker than the release (rate_limits.SHARE_OF_LIMIT),
# so that a worker catches up.
CALL_SPACE = 1.015
# A second, and what calls need longer or shorter on their way: 2.5 ms between the fastest and all but one in a hundred
# on one machine, more in a network.
SECOND_S = 1.02


@dataclass(slots=True)
class CallSlot:
    """A call that was started. `at`: the time.monotonic() at which it left; until then, that of its start."""

    at: float


class CallSpacing:
    """The slots of one number in one worker. Not safe for several threads, but for setting a slot's time."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._space = CALL_SPACE / rate
        self._next_start = 0.0
        self._slots: deque[CallSlot] = deque(maxlen=rate)

    @property
    def rate(self) -> int:
        """Meta's limit of the number, in messages a second."""
        return self._rate

    def earliest(self) -> float:
        """When the next call may start."""
        if len(self._slots) < self._rate:
            return self._next_start
        return max(self._next_start, self._slots[0].at + SECOND_S)

    def start(self, now: float) -> CallSlot:
        """Count a call that starts now. Its thread sets the time at which it leaves."""
        # From the time at which it could have started: the delays of the starting thread do not slow the number.
        self._next_start = max(self._next_start, now - self._space) + self._space
        slot = CallSlot(now)
        self._slots.append(slot)
        return slot
