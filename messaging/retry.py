"""What to do with a message after a call of the Cloud API failed: a pure decision, no clock, no database."""

from dataclasses import dataclass

from messaging.states import Status
from messaging.whatsapp.errors import (
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    Throttled,
    Unavailable,
    WhatsAppError,
)

# Seconds before the next try, by the attempts that were already counted: an outage of minutes is outlasted.
BACK_OFF_S = (2.0, 8.0, 30.0, 120.0, 600.0)
# Nothing left us: the network or Meta's front door, which comes back soon.
NOT_SENT_WAIT_S = 2.0


@dataclass(frozen=True, slots=True)
class Decision:
    """The state to move to; `wait` seconds until the next try; whether the try counts; whether the number stops."""

    status: Status
    wait: float = 0.0
    counts: bool = False
    pause_number: bool = False


def decide(error: WhatsAppError, attempts: int, max_attempts: int) -> Decision:
    """The decision for an error, given the attempts counted before this one."""
    match error:
        case OutcomeUnknown():
            decision = Decision(Status.UNKNOWN)
        case Misconfigured():
            decision = Decision(Status.PENDING, pause_number=True)
        case NotSent():
            decision = Decision(Status.PENDING, wait=NOT_SENT_WAIT_S)
        case Throttled():
            decision = Decision(Status.PENDING, wait=error.wait)
        case Unavailable() if attempts + 1 < max_attempts:
            decision = Decision(Status.PENDING, wait=max(error.wait, _back_off(attempts)), counts=True)
        case _:  # Rejected, or the last attempt
            decision = Decision(Status.FAILED, counts=True)
    return decision


def _back_off(attempts: int) -> float:
    return BACK_OFF_S[min(attempts, len(BACK_OFF_S) - 1)]
