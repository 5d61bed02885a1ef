"""Rate limits: the token bucket of a number, the pace of a pair, probing. Pure arithmetic without clock or database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# A little under what Meta allows: its clock and ours are not the same.
SHARE_OF_LIMIT = 0.97
# The queue behind the dispatcher holds at most this many seconds of a number's pace, so that an urgent message
# overtakes a campaign within it; the bucket saves up no more than that either.
QUEUE_S = 0.5

# After 130429 a number goes on with four fifths of its pace, at least a tenth, and wins back 2 % of it each second.
SLOWER = 0.8
SLOWEST = 0.1
FASTER_PER_S = 0.02

# Meta: one message to a user in 6 s, 45 at once on credit. Half a second is for the way, which no two take as fast.
# https://developers.facebook.com/documentation/business-messaging/whatsapp/about-the-platform
PAIR_EVERY_S = 6.5
PAIR_BURST = 45
PAIR_CREDIT = timedelta(seconds=(PAIR_BURST - 1) * PAIR_EVERY_S)

# Unknown outcomes in a row until a number only probes; the steps between probes double from 1 to 60 s.
BREAKS_AFTER = 5
LAST_STEP_S = 60


@dataclass(frozen=True, slots=True)
class InARow:
    """How throttles of one kind add up: one that comes within `within` of the last one's end is in a row with it."""

    within: timedelta
    longest_s: float

    def wait(self, first_s: float, growth: float, n: int) -> float:
        """Seconds for the nth throttle in a row, n from 1."""
        return min(self.longest_s, first_s * growth ** min(n - 1, 20))


# A number also goes slower, so a few seconds will do; a recipient's credit takes minutes to come back.
NUMBER_THROTTLES = InARow(within=timedelta(seconds=5), longest_s=8.0)
PAIR_THROTTLES = InARow(within=timedelta(seconds=60), longest_s=3600.0)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A number's pace as its row has it; `rate` is Meta's limit in messages a second."""

    rate: int
    tokens: float
    tokens_at: datetime
    share: float = 1.0
    slowed_at: datetime | None = None

    def pace(self, now: datetime, inbound: float) -> float:
        """Messages a second, given the inbound ones a second, which count against Meta's limit too."""
        return max(0.0, self.rate - inbound) * SHARE_OF_LIMIT * grown_share(self.share, self.slowed_at, now)

    def filled(self, now: datetime, pace: float) -> float:
        """The tokens there are now."""
        earned = max(0.0, (now - self.tokens_at).total_seconds()) * pace
        return min(max(1.0, pace * QUEUE_S), self.tokens + earned)


def grown_share(share: float, slowed_at: datetime | None, now: datetime) -> float:
    """The share of its pace that a number has won back since it was slowed."""
    if slowed_at is None:
        return share
    return min(1.0, share + FASTER_PER_S * max(0.0, (now - slowed_at).total_seconds()))


def next_step(step: int) -> int:
    """Seconds until the probe after this one."""
    return min(LAST_STEP_S, max(1, step * 2))


@dataclass(frozen=True, slots=True)
class Streak:
    """Outcomes of one number in the order they came: what they leave of the count of unknown ones in a row."""

    # Whether anything but an unknown outcome came; and how many unknown ones after it.
    broken: bool
    unknown: int
    accepted: bool

    @classmethod
    def of(cls, outcomes: Sequence[bool | None]) -> "Streak":
        """Each outcome is True where Meta accepted, None where nobody knows, False for any other answer."""
        trailing = 0
        for outcome in reversed(outcomes):
            if outcome is not None:
                break
            trailing += 1
        return cls(trailing < len(outcomes), trailing, any(outcomes))

    def count(self, before: int) -> int:
        """Unknown outcomes in a row now. Once a number only probes, nothing but an acceptance ends that."""
        if self.accepted or (self.broken and before < BREAKS_AFTER):
            return self.unknown
        return before + self.unknown
