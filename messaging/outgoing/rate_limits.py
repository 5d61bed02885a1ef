"""Rate limits: the token bucket of a number, the pair limit, probing. Pure arithmetic without clock or database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# A little under Meta's limit: its clock and ours differ.
SHARE_OF_LIMIT = 0.97
# The queue behind the dispatcher holds at most this many seconds of a number's pace, so that an urgent message waits no
# longer behind a campaign; the bucket saves no more than that either.
QUEUE_S = 0.5

# After 130429 a number continues at four fifths of its pace, at least at a tenth, and recovers 2 % of it each second.
THROTTLE_FACTOR = 0.8
MIN_SHARE = 0.1
RECOVERY_PER_S = 0.02

# Meta: one message to a user in 6 s, and bursts of up to 45 on credit. Half a second allows for unequal latencies.
# https://developers.facebook.com/documentation/business-messaging/whatsapp/about-the-platform
PAIR_EVERY_S = 6.5
PAIR_BURST = 45
PAIR_CREDIT = timedelta(seconds=(PAIR_BURST - 1) * PAIR_EVERY_S)

# After this many unknown outcomes in a row a number only probes; the steps between probes double from 1 to 60 s.
PROBES_AFTER = 5
PROBE_STEP_MAX_S = 60


@dataclass(frozen=True, slots=True)
class ConsecutiveThrottles:
    """When throttles count as consecutive: one that begins within `within` of the end of the one before."""

    within: timedelta
    longest_s: float

    def wait(self, first_s: float, growth: float, n: int) -> float:
        """Seconds of the nth consecutive throttle, n from 1."""
        return min(self.longest_s, first_s * growth ** min(n - 1, 20))


# A number is also slowed down, so a few seconds suffice; a recipient's credit takes minutes to come back.
NUMBER_THROTTLES = ConsecutiveThrottles(within=timedelta(seconds=5), longest_s=8.0)
PAIR_THROTTLES = ConsecutiveThrottles(within=timedelta(seconds=60), longest_s=3600.0)


@dataclass(frozen=True, slots=True)
class Bucket:
    """The pace of a number as its row stores it; `rate` is Meta's limit in messages a second."""

    rate: int
    tokens: float
    tokens_at: datetime
    share: float = 1.0
    slowed_at: datetime | None = None

    def pace(self, now: datetime, inbound: float) -> float:
        """Messages a second, less the inbound ones, which count against Meta's limit too."""
        return max(0.0, self.rate - inbound) * SHARE_OF_LIMIT * recovered_share(self.share, self.slowed_at, now)

    def filled(self, now: datetime, pace: float) -> float:
        """The tokens in the bucket now."""
        earned = max(0.0, (now - self.tokens_at).total_seconds()) * pace
        return min(max(1.0, pace * QUEUE_S), self.tokens + earned)


def recovered_share(share: float, slowed_at: datetime | None, now: datetime) -> float:
    """The share of its pace that a slowed number has recovered by now."""
    if slowed_at is None:
        return share
    return min(1.0, share + RECOVERY_PER_S * max(0.0, (now - slowed_at).total_seconds()))


def next_probe_step(step: int) -> int:
    """Seconds from this probe to the next one."""
    return min(PROBE_STEP_MAX_S, max(1, step * 2))


@dataclass(frozen=True, slots=True)
class UnknownStreak:
    """The effect of a number's latest outcomes on its count of unknown outcomes in a row."""

    # Whether there was a known outcome; and the number of unknown ones after the last known one.
    broken: bool
    unknown: int
    accepted: bool

    @classmethod
    def of(cls, outcomes: Sequence[bool | None]) -> "UnknownStreak":
        """`outcomes` in their order: True for an acceptance, None for unknown, False for any other answer."""
        trailing = 0
        for outcome in reversed(outcomes):
            if outcome is not None:
                break
            trailing += 1
        return cls(trailing < len(outcomes), trailing, any(outcomes))

    def count(self, before: int) -> int:
        """Unknown outcomes in a row now. Once a number only probes, only an acceptance resets the count."""
        if self.accepted or (self.broken and before < PROBES_AFTER):
            return self.unknown
        return before + self.unknown
