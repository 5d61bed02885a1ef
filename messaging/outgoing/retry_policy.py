"""Retry policy: the decision after a failed call. Pure, without clock or database."""

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

# Nothing left us: the network or Meta's front door, which comes back soon.
NOT_SENT_WAIT_S = 2.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What an operator may set: WA_MAX_ATTEMPTS, WA_BACK_OFF_S and WA_CODE_WAITS."""

    max_attempts: int = 5
    # Seconds before the next try, by the attempts that were already counted; the last one for all that follow.
    back_off: tuple[float, ...] = (2.0, 8.0, 30.0, 120.0, 600.0)
    # Seconds by Meta's code, in the place of the table's.
    waits: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SoFar:
    """What the message went through before: attempts that counted, and whether Meta's cap put it off already."""

    attempts: int = 0
    capped: bool = False
    fail_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """What has to wait beside the message: `wait` seconds, `growth` times more each time in a row.

    `wait` None: until a person resumes it. `slows`: a number goes on with less of its pace afterwards.
    """

    scope: Scope
    wait: float | None
    growth: float = 1.0
    slows: bool = False


# Call after call does not leave us: the network or Meta is away, and trying each message in turn tells us no more.
UNREACHABLE = Stop(Scope.NUMBER, 5.0)
UNREACHABLE_CALLS = 5


@dataclass(frozen=True, slots=True)
class Decision:
    """The state to move to.

    `wait` is in seconds until the next try, None where the message keeps its turn because something else waits
    (`stop`). `counts`: against the attempts. `exhausted`: it failed for want of attempts. `caps`: see
    Message.capped_at.
    """

    status: Status
    wait: float | None = None
    counts: bool = False
    stop: Stop | None = None
    exhausted: bool = False
    caps: bool = False


def decide(error: WhatsAppError, so_far: SoFar, limits: Limits) -> Decision:
    """The decision for an error, given what came before it."""
    match error:
        case OutcomeUnknown():
            decision = Decision(Status.FAILED if so_far.fail_unknown else Status.UNKNOWN)
        case Misconfigured():
            decision = Decision(Status.PENDING, stop=Stop(error.scope, None))
        case NotSent():
            decision = Decision(Status.PENDING, wait=NOT_SENT_WAIT_S)
        case Throttled():
            wait, slows = _wait(error, error.wait, limits), error.scope is Scope.NUMBER
            decision = Decision(Status.PENDING, stop=Stop(error.scope, wait, error.growth, slows))
        case Unavailable() if so_far.attempts + 1 < limits.max_attempts:
            wait = max(_wait(error, error.wait, limits), _back_off(so_far.attempts, limits))
            decision = Decision(Status.PENDING, wait=wait, counts=True)
        case Rejected() if error.wait and not so_far.capped:
            decision = Decision(Status.PENDING, wait=_wait(error, error.wait, limits), caps=True)
        case _:  # Rejected, or the last attempt
            decision = Decision(Status.FAILED, counts=True, exhausted=isinstance(error, Unavailable))
    return decision


def _wait(error: WhatsAppError, asked: float, limits: Limits) -> float:
    return limits.waits.get(error.code, asked) if error.code is not None else asked


def _back_off(attempts: int, limits: Limits) -> float:
    return limits.back_off[min(attempts, len(limits.back_off) - 1)]
