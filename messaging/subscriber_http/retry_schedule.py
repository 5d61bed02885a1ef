"""Retry schedule of deliveries, and pauses of failing endpoints: pure functions of the answers."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from messaging.subscriber_http.post import Answer

# Seconds before the next attempt, by the number of attempts; the last value for all further ones. A day has thirteen.
RETRY_WAITS_S = (5, 30, 120, 600, 1800, 3600, 7200, 14400)
# Each wait varies by up to a fifth, so that deliveries that failed together are not retried together.
JITTER = 0.2
RETRY_PERIOD = timedelta(hours=24)
# The retry period of one delivery, less the possible delay of its first attempt.
DISABLE_AFTER = RETRY_PERIOD - timedelta(minutes=5)
# After this many failures in a row an endpoint is probed: one delivery at a time, with pauses that double. A dead one
# costs a request every five minutes, and is used again at most five minutes after its recovery.
PROBED_FROM = 5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5, 300
# An endpoint's Retry-After postpones the delivery that got it by an hour at most, and the endpoint's other deliveries
# by LONGEST_PAUSE_S: a header of a day must neither stop a subscription nor use up its retry period.
LONGEST_RETRY_AFTER_S = 3600.0
# An endpoint is disabled after a day with this many failures in a row; one delivery makes thirteen attempts a day.
DISABLED_FROM = 10


class State(StrEnum):
    """A delivery waits for its next attempt, was answered with a 2xx, or has failed for good."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Decision:
    """The state of a delivery after an attempt, and the time of the next one."""

    state: State
    due_at: datetime | None = None


def decide(answer: Answer, tries: int, give_up_at: datetime, now: datetime, chance: float) -> Decision:
    """The decision after attempt number `tries`. The last attempt is at `give_up_at`; `chance` is within [0, 1)."""
    if answer.is_success:
        return Decision(State.DELIVERED)
    if answer.is_gone or now >= give_up_at:
        return Decision(State.FAILED)
    wait = RETRY_WAITS_S[min(tries, len(RETRY_WAITS_S)) - 1] * (1 + JITTER * (2 * chance - 1))
    wait = max(wait, min(answer.retry_after_s or 0.0, LONGEST_RETRY_AFTER_S))
    return Decision(State.PENDING, min(now + timedelta(seconds=wait), give_up_at))


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """An endpoint's consecutive failures and its pause. `disabled_why` is set if it must be disabled."""

    failures: int = 0
    failing_since: datetime | None = None
    paused_until: datetime | None = None
    disabled_why: str = ""

    @property
    def is_probed(self) -> bool:
        """Whether the endpoint gets one delivery at a time."""
        return self.failures >= PROBED_FROM


def after(health: EndpointHealth, answer: Answer, started_at: datetime, now: datetime) -> EndpointHealth:
    """The health after an attempt. One success resets it."""
    if answer.is_success:
        return EndpointHealth()
    since = health.failing_since or started_at
    failures = health.failures + 1
    pause = min(answer.retry_after_s or 0.0, LONGEST_PAUSE_S)
    if failures >= PROBED_FROM:
        pause = max(pause, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(failures - PROBED_FROM, 16)))
    paused_until = now + timedelta(seconds=pause) if pause else None
    failed = replace(health, failures=failures, failing_since=since, paused_until=paused_until)
    if answer.is_gone:
        return replace(failed, disabled_why=answer.error)
    if failures >= DISABLED_FROM and now - since >= DISABLE_AFTER:
        return replace(failed, disabled_why=f"Every delivery failed for 24 hours. The last error: {answer.error}")
    return failed
