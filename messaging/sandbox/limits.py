"""Meta's own limits: messages a second of a number, both ways together, and messages to one user.

https://developers.facebook.com/documentation/business-messaging/whatsapp/about-the-platform
"""

from __future__ import annotations

from dataclasses import dataclass

from . import graph_errors
from .settings import Behaviour
from .users import User

THROUGHPUT_CODE = 130429
PAIR_CODE = 131056
# One message to a user in 6 s; 45 at once are lent from the time that follows.
PAIR_EVERY_S = 6.0
PAIR_BURST = 45


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket that holds ``burst`` and gets ``rate`` tokens a second; ``at`` is the time of ``tokens``."""

    tokens: float
    at: float

    def filled(self, rate: float, burst: float, now: float) -> float:
        """What it holds now."""
        return min(burst, self.tokens + (now - self.at) * rate)


class Limits:
    """Counts every call and every message of a user. Times are seconds of one clock that never goes back."""

    def __init__(self) -> None:
        self._numbers: dict[str, Bucket] = {}
        self._pairs: dict[tuple[str, str], Bucket] = {}

    def take(self, phone_number_id: str, recipient: User, behaviour: Behaviour, now: float) -> None:
        """Count a send. Raises GraphError 130429 or 131056 when it is over one of them."""
        rate = behaviour.throughput_of(phone_number_id)
        if rate and not self._take_number(phone_number_id, rate, now):
            raise graph_errors.of_code(THROUGHPUT_CODE, behaviour.throttle_status)
        if behaviour.pair_limit and not self._take_pair((phone_number_id, recipient.address), now):
            raise graph_errors.of_code(PAIR_CODE, behaviour.throttle_status)

    def count_inbound(self, phone_number_id: str, behaviour: Behaviour, now: float) -> None:
        """Count a user's message: it is never refused, and takes from what the number may send."""
        if rate := behaviour.throughput_of(phone_number_id):
            self._take_number(phone_number_id, rate, now)

    def clear(self) -> None:
        """Everything may be sent again."""
        self._numbers.clear()
        self._pairs.clear()

    def _take_number(self, phone_number_id: str, rate: int, now: float) -> bool:
        bucket = self._numbers.get(phone_number_id, Bucket(rate, now))
        tokens = bucket.filled(rate, rate, now)
        taken = tokens >= 1
        self._numbers[phone_number_id] = Bucket(tokens - taken, now)
        return taken

    def _take_pair(self, pair: tuple[str, str], now: float) -> bool:
        bucket = self._pairs.get(pair, Bucket(PAIR_BURST, now))
        tokens = bucket.filled(1 / PAIR_EVERY_S, PAIR_BURST, now)
        taken = tokens >= 1
        self._pairs[pair] = Bucket(tokens - taken, now)
        return taken
