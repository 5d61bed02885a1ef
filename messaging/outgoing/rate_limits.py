"""Rate limits: the pace of a number, the pair limit, probing. Pure arithmetic without clock or database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# A little under Meta's limit: its clock and ours differ.
SHARE_OF_LIMIT = 0.97
# Users may write as much as Meta allows for both directions. This share of the limit remains for sending: what is too
# much Meta refuses with 130429, which slows the number down.
OUTBOUND_SHARE = 0.1
# The queue behind the dispatcher holds at most this many seconds of a number's pace: what workers do not claim stays
# `pending`, where an urgent message overtakes it.
QUEUE_S = 0.5

# Meta may read "80 a second" as any second, so calls are evenly spaced and not saved up. A release gives its messages
# the times of their calls, up to this far ahead: a worker may get a task 130 ms later, and still has each message in
# time. An urgent message waits no longer behind a campaign.
AHEAD_S = 0.25
# The first messages after a pause: calls wait for new connections and tasks for a receive, those that follow do not. A
# larger group therefore starts later, and each group has wider spaces.
START_S = 0.05
START_GROUP = 5
START_SPACE = 1.5

# After 130429 a number continues at four fifths of its pace, at least at a tenth, and recovers 2 % of it each second.
THROTTLE_FACTOR = 0.8
MIN_SHARE = 0.1
RECOVERY_PER_S = 0.02

# Meta: one message to a user in 6 s. Up to 45 may go within 6 s, all but the first on credit; then none until the time
# of all is over, and credit for another burst grows by one for each 6 s without a message. Half a second and a second
# allow for unequal latencies.
# https://developers.facebook.com/documentation/business-messaging/whatsapp/about-the-platform
PAIR_EVERY_S = 6.5
PAIR_BURST_S = 5.0
PAIR_CREDIT = 44.0

# After this many unknown outcomes in a row a number only probes; the steps between probes double from 1 to 60 s.
PROBES_AFTER = 5
PROBE_STEP_MAX_S = 60


# Waits of consecutive throttles no longer grow after this many.
MAX_DOUBLINGS = 20


@dataclass(frozen=True, slots=True)
class ConsecutiveThrottles:
    """When throttles count as consecutive: one that begins within `within` of the end of the one before."""

    within: timedelta
    longest_s: float

    def wait(self, first_s: float, growth: float, n: int) -> float:
        """Seconds of the nth consecutive throttle, n from 1."""
        return min(self.longest_s, first_s * growth ** min(n - 1, MAX_DOUBLINGS))


def next_throttle(n: int) -> int:
    """The count after the nth consecutive throttle, as far as the waits need it, so that it always fits its column."""
    return min(n, MAX_DOUBLINGS) + 1


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
        """Messages a second, less the inbound ones, which count against Meta's limit too; they leave a tenth."""
        remaining = max(self.rate * OUTBOUND_SHARE, self.rate - inbound)
        return remaining * SHARE_OF_LIMIT * recovered_share(self.share, self.slowed_at, now)

    def filled(self, now: datetime, pace: float) -> float:
        """The tokens in the bucket now: 1 where a call may start at once, less where calls are scheduled ahead."""
        earned = max(0.0, (now - self.tokens_at).total_seconds()) * pace
        return min(1.0, self.tokens + earned)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Evenly spaced calls at a pace of more than 0, from the tokens in the bucket."""

    pace: float
    tokens: float

    @property
    def _space(self) -> float:
        """Tokens from one call to the next."""
        return START_SPACE if self.tokens >= 1 else 1.0

    def most(self) -> int:
        """How many calls may be scheduled now."""
        ahead = AHEAD_S * self.pace - (1 - self.tokens)
        return int(ahead / self._space) + 1 if ahead >= 0 else 0

    def offsets(self, count: int) -> list[float]:
        """Seconds from now until each of `count` calls."""
        return [(self._start(count) + n * self._space) / self.pace for n in range(count)]

    def left(self, count: int) -> float:
        """The tokens after `count` calls."""
        return 1 - self._start(count) - count * self._space

    def _start(self, count: int) -> float:
        """Tokens until the first call."""
        is_start = self.tokens >= 1 and count >= START_GROUP
        return START_S * self.pace if is_start else 1 - self.tokens


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
