"""Meta's own limits: messages a second of a number, both ways together, and messages to one user.

https://developers.facebook.com/documentation/business-messaging/whatsapp/about-the-platform
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
    """A token bucket: it holds up to ``burst`` and gets ``rate`` tokens a second; ``at`` is the time of ``tokens``."""

    rate: float
    burst: float
    tokens: float
    at: float

    def filled(self, now: float) -> Bucket:
        """As it is now."""
        return replace(self, tokens=min(self.burst, self.tokens + (now - self.at) * self.rate), at=now)


class Limits:
    """Counts every call and every message of a user. Times are seconds of one clock that never goes back."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, ...], Bucket] = {}

    def take(self, phone_number_id: str, recipient: User, behaviour: Behaviour, now: float) -> None:
        """Count a send. Raises GraphError 130429 or 131056 when it is over one of them."""
        rate = behaviour.throughput_of(phone_number_id)
        if rate and not self._taken((phone_number_id,), rate, rate, now):
            raise graph_errors.of_code(THROUGHPUT_CODE, behaviour.throttle_status)
        pair = (phone_number_id, recipient.address)
        if behaviour.pair_limit and not self._taken(pair, 1 / PAIR_EVERY_S, PAIR_BURST, now):
            raise graph_errors.of_code(PAIR_CODE, behaviour.throttle_status)

    def count_inbound(self, phone_number_id: str, behaviour: Behaviour, now: float) -> None:
        """Count a user's message: it is never refused, and takes from what the number may send."""
        if rate := behaviour.throughput_of(phone_number_id):
            self._taken((phone_number_id,), rate, rate, now)

    def clear(self) -> None:
        """Everything may be sent again."""
        self._buckets.clear()

    def _taken(self, key: tuple[str, ...], rate: float, burst: float, now: float) -> bool:
        known = self._buckets.get(key)
        # A rate that was changed meanwhile begins with a full bucket.
        bucket = known.filled(now) if known and known.rate == rate else Bucket(rate, burst, burst, now)
        taken = bucket.tokens >= 1
        self._buckets[key] = replace(bucket, tokens=bucket.tokens - taken)
        return taken
