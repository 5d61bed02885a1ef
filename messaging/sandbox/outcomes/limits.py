"""Meta's rate limits: messages per second of a number, messages to one user, users per day of the portfolio.

https://developers.facebook.com/documentation/business-messaging/whatsapp/about-the-platform
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from .. import graph_errors
from ..settings import Behaviour
from ..users.user import User

THROUGHPUT_CODE = 130429
PAIR_CODE = 131056
# Meta has no code of its own for the portfolio's limit: it is reported as its limit against spam.
MESSAGING_LIMIT_CODE = 131048
WINDOW_S = 1.0
# One message to a user in 6 s. Within a burst up to 45 may go, all but the first borrowed from the time that follows.
PAIR_EVERY_S = 6.0
PAIR_BURST = 45
DAY_S = 24 * 3600.0


@dataclass(slots=True)
class Pair:
    """The messages of one number to one user.

    Each message takes 6 s. What a burst borrows is paid back before the next message: after 20 at once, two minutes.
    The credit for another burst grows by one for each 6 s in which nothing is owed and nothing is sent.
    """

    paid_until: float
    burst_at: float
    credit: float = PAIR_BURST - 1.0

    @classmethod
    def first(cls, now: float) -> Pair:
        """After the first message."""
        return cls(now + PAIR_EVERY_S, now)

    def take(self, now: float, burst_s: float) -> bool:
        """Count a message, unless it is over the limit; a burst lasts for ``burst_s`` from its first message."""
        if now >= self.paid_until:
            self.credit = min(PAIR_BURST - 1.0, self.credit + (now - self.paid_until) / PAIR_EVERY_S)
            self.paid_until, self.burst_at = now + PAIR_EVERY_S, now
            return True
        if self.credit < 1 or now - self.burst_at >= burst_s:
            return False
        self.credit -= 1
        self.paid_until += PAIR_EVERY_S
        return True


@dataclass(slots=True)
class Limits:
    """Counts every send and every message of a user. Times are seconds of one clock that never goes back."""

    _sent: dict[str, deque[float]] = field(default_factory=dict)
    _pairs: dict[tuple[str, str], Pair] = field(default_factory=dict)
    _opened: dict[str, float] = field(default_factory=dict)

    def take(
        self, phone_number_id: str, recipient: User, behaviour: Behaviour, now: float, *, window_open: bool = True
    ) -> None:
        """Count a send. Raises GraphError 130429, 131056 or 131048 when it is over a limit; then it does not count.

        `open` counts the user, once the message is accepted.
        """
        rate, sent = behaviour.throughput_of(phone_number_id), self._recent(phone_number_id, now)
        if rate and len(sent) >= rate:
            raise graph_errors.of_code(THROUGHPUT_CODE, behaviour.throttle_status)
        limit = 0 if window_open else behaviour.messaging_limit
        if limit and not self._is_opened(recipient, now) and self.opened_users(now) >= limit:
            raise graph_errors.of_code(MESSAGING_LIMIT_CODE, behaviour.throttle_status)
        if behaviour.pair_limit:
            self._take_pair(phone_number_id, recipient, behaviour, now)
        if rate:
            sent.append(now)

    def open(self, recipient: User, now: float) -> None:
        """Count a message that is accepted outside of the recipient's window: the user counts for a day from now."""
        # Moved to the end: the oldest stand first.
        self._opened.pop(recipient.user_id, None)
        self._opened[recipient.user_id] = now

    def opened_users(self, now: float) -> int:
        """How many users got a message outside of a customer service window within a day."""
        while self._opened and (first := next(iter(self._opened))) and now - self._opened[first] >= DAY_S:
            del self._opened[first]
        return len(self._opened)

    def count_inbound(self, phone_number_id: str, behaviour: Behaviour, now: float) -> None:
        """Count a user's message: it is never refused, and takes from what the number may send."""
        if behaviour.throughput_of(phone_number_id):
            self._recent(phone_number_id, now).append(now)

    def clear(self) -> None:
        """Reset all limits."""
        for counted in (self._sent, self._pairs, self._opened):
            counted.clear()

    def _recent(self, phone_number_id: str, now: float) -> deque[float]:
        """When the number's messages of the last second were sent or came: there is no burst beyond that."""
        sent = self._sent.setdefault(phone_number_id, deque())
        while sent and sent[0] <= now - WINDOW_S:
            sent.popleft()
        return sent

    def _take_pair(self, phone_number_id: str, recipient: User, behaviour: Behaviour, now: float) -> None:
        key = (phone_number_id, recipient.user_id)
        pair = self._pairs.get(key)
        if pair is None:
            self._pairs[key] = Pair.first(now)
        elif not pair.take(now, behaviour.pair_burst_seconds):
            raise graph_errors.of_code(PAIR_CODE, behaviour.throttle_status)

    def _is_opened(self, recipient: User, now: float) -> bool:
        return now - self._opened.get(recipient.user_id, -DAY_S) < DAY_S
