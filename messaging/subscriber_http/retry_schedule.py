"""When a delivery is tried again, and when a subscription is left alone: pure functions of what happened."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from messaging.subscriber_http.post import Answer

# Seconds before the next try, by the tries before it; the last for all that follow. A day holds thirteen tries.
WAITS_S = (5, 30, 120, 600, 1800, 3600, 7200, 14400)
# Each wait is longer or shorter by up to a fifth, so that what failed together does not come back together.
JITTER = 0.2
TRIED_FOR = timedelta(hours=24)
# As long as one delivery is tried, less what its first try may be late.
FAILING_FOR = TRIED_FOR - timedelta(minutes=5)
# After so many failures in a row an endpoint gets one delivery at a time, after pauses that double: a dead one costs
# a request in five minutes, and is found alive five minutes after it came back.
PROBED_FROM = 5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5, 300


class State(StrEnum):
    """A delivery waits for its (next) try, was answered with a 2xx, or was given up."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a delivery is after a try, and when the next one is due."""

    state: State
    due_at: datetime | None = None


def decide(answer: Answer, tries: int, give_up_at: datetime, now: datetime, chance: float) -> Decision:
    """After the `tries`th try. The last try is made when the time is over; `chance` is within [0, 1)."""
    if answer.is_success:
        return Decision(State.DELIVERED)
    if answer.is_gone or now >= give_up_at:
        return Decision(State.FAILED)
    wait = WAITS_S[min(tries, len(WAITS_S)) - 1] * (1 + JITTER * (2 * chance - 1))
    wait = max(wait, min(answer.retry_after_s or 0, TRIED_FOR.total_seconds()))
    return Decision(State.PENDING, min(now + timedelta(seconds=wait), give_up_at))


@dataclass(frozen=True, slots=True)
class Standing:
    """How an endpoint fares. `disabled_why` is set once it is to be switched off."""

    failures: int = 0
    failing_since: datetime | None = None
    paused_until: datetime | None = None
    disabled_why: str = ""

    @property
    def is_probed(self) -> bool:
        """Whether it gets one delivery at a time."""
        return self.failures >= PROBED_FROM


def after(standing: Standing, answer: Answer, begun: datetime, now: datetime) -> Standing:
    """The standing after a try that began at `begun`. One success forgets all failures."""
    if answer.is_success:
        return Standing()
    since = standing.failing_since or begun
    failures = standing.failures + 1
    pause = answer.retry_after_s or 0.0
    if failures >= PROBED_FROM:
        pause = max(pause, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(failures - PROBED_FROM, 16)))
    paused_until = now + timedelta(seconds=min(pause, TRIED_FOR.total_seconds())) if pause else None
    failed = replace(standing, failures=failures, failing_since=since, paused_until=paused_until)
    if answer.is_gone:
        return replace(failed, disabled_why=answer.error)
    if now - since >= FAILING_FOR:
        return replace(failed, disabled_why=f"Every delivery failed for 24 hours. The last one: {answer.error}")
    return failed
