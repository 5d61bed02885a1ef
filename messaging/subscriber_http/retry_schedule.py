"""Retry schedule of deliveries, and pauses of failing endpoints: pure functions of the answers."""

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
# An endpoint's Retry-After postpones the delivery that got it by an hour at most, and the endpoint's other deliveries
# by LONGEST_PAUSE_S: a header of a day must neither stop a subscription nor use up the day in which it may recover.
LONGEST_RETRY_AFTER_S = 3600.0
# Failures in a row before a day of them disables an endpoint: one delivery alone makes thirteen tries a day.
DISABLED_FROM = 10


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
    wait = max(wait, min(answer.retry_after_s or 0.0, LONGEST_RETRY_AFTER_S))
    return Decision(State.PENDING, min(now + timedelta(seconds=wait), give_up_at))


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """Failures of an endpoint in a row, and its pause. `disabled_why` is set when it must be disabled."""

    failures: int = 0
    failing_since: datetime | None = None
    paused_until: datetime | None = None
    disabled_why: str = ""

    @property
    def is_probed(self) -> bool:
        """Whether it gets one delivery at a time."""
        return self.failures >= PROBED_FROM


def after(health: EndpointHealth, answer: Answer, begun: datetime, now: datetime) -> EndpointHealth:
    """The health after a try that began at `begun`. One success resets it."""
    if answer.is_success:
        return EndpointHealth()
    since = health.failing_since or begun
    failures = health.failures + 1
    pause = min(answer.retry_after_s or 0.0, LONGEST_PAUSE_S)
    if failures >= PROBED_FROM:
        pause = max(pause, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(failures - PROBED_FROM, 16)))
    paused_until = now + timedelta(seconds=pause) if pause else None
    failed = replace(health, failures=failures, failing_since=since, paused_until=paused_until)
    if answer.is_gone:
        return replace(failed, disabled_why=answer.error)
    if failures >= DISABLED_FROM and now - since >= FAILING_FOR:
        return replace(failed, disabled_why=f"Every delivery failed for 24 hours. The last one: {answer.error}")
    return failed
