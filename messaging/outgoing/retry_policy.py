"""Retry policy: the decision after a failed call. Pure functions without clock or database.

The wait of each of Meta's codes stands in `messaging/whatsapp/error_codes.py`; the setting WA_CODE_WAITS overrides it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from messaging.states import Status
from messaging.whatsapp.errors import (
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    Rejected,
    Scope,
    Throttled,
    Unavailable,
    WhatsAppError,
)

# No request left this host: the network or Meta's front end is unavailable, usually for a moment.
NOT_SENT_WAIT_S = 2.0


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings WA_MAX_ATTEMPTS, WA_BACK_OFF_S and WA_CODE_WAITS."""

    max_attempts: int = 5
    # Seconds before the next try, by the number of counted attempts; the last one repeats.
    back_off: tuple[float, ...] = (2.0, 8.0, 30.0, 120.0, 600.0)
    # Seconds by Meta's code; they override the table of codes.
    waits: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AttemptHistory:
    """A message's earlier attempts that counted, and whether Meta's marketing cap has postponed it already."""

    attempts: int = 0
    capped: bool = False
    fail_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Suspension:
    """What has to wait beside the message: for `wait` seconds, `growth` times longer each time in a row.

    `wait` None: until a person resumes it. `slows`: the number continues at a reduced pace.
    """

    scope: Scope
    wait: float | None
    growth: float = 1.0
    slows: bool = False


# No request leaves this host: the network or Meta is unavailable, so trying each message in turn is pointless.
UNREACHABLE = Suspension(Scope.NUMBER, 5.0)
UNREACHABLE_CALLS = 5


@dataclass(frozen=True, slots=True)
class Decision:
    """The status to move to.

    `wait`: seconds until the next try; None where the message keeps its place in the queue, because the `suspension`
    waits instead. `counts`: against the attempts. `exhausted`: the attempts are used up. `caps`: see Message.capped_at.
    """

    status: Status
    wait: float | None = None
    counts: bool = False
    suspension: Suspension | None = None
    exhausted: bool = False
    caps: bool = False


def decide(error: WhatsAppError, history: AttemptHistory, limits: Limits) -> Decision:
    """The decision for an error, given the message's earlier attempts."""
    match error:
        case OutcomeUnknown():
            decision = Decision(Status.FAILED if history.fail_unknown else Status.UNKNOWN)
        case Misconfigured():
            decision = Decision(Status.PENDING, suspension=Suspension(error.scope, None))
        case NotSent():
            decision = Decision(Status.PENDING, wait=NOT_SENT_WAIT_S)
        case Throttled():
            wait, slows = _wait(error, error.wait, limits), error.scope is Scope.NUMBER
            decision = Decision(Status.PENDING, suspension=Suspension(error.scope, wait, error.growth, slows))
        case Unavailable() if history.attempts + 1 < limits.max_attempts:
            wait = max(_wait(error, error.wait, limits), _back_off(history.attempts, limits))
            decision = Decision(Status.PENDING, wait=wait, counts=True)
        case Rejected() if error.wait and not history.capped:
            decision = Decision(Status.PENDING, wait=_wait(error, error.wait, limits), caps=True)
        case _:  # Rejected, or the last attempt
            decision = Decision(Status.FAILED, counts=True, exhausted=isinstance(error, Unavailable))
    return decision


def _wait(error: WhatsAppError, default: float, limits: Limits) -> float:
    return limits.waits.get(error.code, default) if error.code is not None else default


def _back_off(attempts: int, limits: Limits) -> float:
    return limits.back_off[min(attempts, len(limits.back_off) - 1)]
