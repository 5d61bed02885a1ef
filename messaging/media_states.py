"""States of a media file, and the decision after a download attempt."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from messaging.whatsapp.media import KEPT_FOR_DAYS
from messaging.whatsapp.media_api import TransferFailure

# Seconds before the next attempt, by the number of attempts; the last value for all further ones.
WAITS_S = (2, 10, 60, 300, 900, 3600)
# A wrong set-up is retried too, but rarely: once it is corrected, downloads continue by themselves.
MISCONFIGURED_WAIT_S = 900
# Each wait is up to a fifth longer, so that files that failed together are not retried together.
JITTER = 0.2
# One day less than Meta keeps a file.
RETRY_PERIOD = timedelta(days=KEPT_FOR_DAYS - 1)
# A wrong size or SHA-256 may be a transmission error; it is permanent if it was the same the time before.
DAMAGED_ATTEMPTS = 3


class State(StrEnum):
    """Where a file is: it waits for its next attempt, is stored, or was deleted; or its download has failed because
    Meta no longer has it, it is too large, its size or SHA-256 is wrong, or the retry period has ended.
    """

    WAITING = "waiting"
    STORED = "stored"
    GONE = "gone"
    TOO_LARGE = "too_large"
    DAMAGED = "damaged"
    FAILED = "failed"
    # It was stored, and was deleted by retention or with the person.
    DELETED = "deleted"

    @property
    def is_final(self) -> bool:
        """Whether there are no further attempts, unless an operator asks for one."""
        return self is not State.WAITING


def states() -> list[tuple[str, str]]:
    """For a model field."""
    return [(state.value, state.name.replace("_", " ").capitalize()) for state in State]


class LocalFailure(StrEnum):
    """Failures after the transfer: a wrong size or SHA-256, or a storage error."""

    BROKEN = "broken"
    NOT_STORED = "not_kept"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed; `wait_s`: the wait that Meta asks for; `repeated`: as the attempt before."""

    cause: TransferFailure | LocalFailure
    wait_s: float = 0.0
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The state of a file after an attempt, and the time of the next one."""

    state: State
    due_at: datetime | None = None


_FINAL: dict[TransferFailure | LocalFailure, State] = {
    TransferFailure.GONE: State.GONE,
    TransferFailure.TOO_LARGE: State.TOO_LARGE,
    TransferFailure.REFUSED: State.FAILED,
}


def decide(failure: Failure | None, tries: int, give_up_at: datetime, now: datetime, chance: float) -> Decision:
    """The decision after attempt number `tries`; `failure` None: it succeeded. The last attempt is at `give_up_at`.
    `chance` is within [0, 1).
    """
    if failure is None:
        return Decision(State.STORED)
    cause = failure.cause
    if cause in _FINAL:
        return Decision(_FINAL[cause])
    if cause is LocalFailure.BROKEN and failure.repeated and tries >= DAMAGED_ATTEMPTS:
        return Decision(State.DAMAGED)
    if now >= give_up_at:
        return Decision(State.FAILED)
    wait: float = WAITS_S[min(tries, len(WAITS_S)) - 1] if tries else 0
    if cause is TransferFailure.MISCONFIGURED:
        wait = max(wait, MISCONFIGURED_WAIT_S)
    wait = max(wait, min(failure.wait_s, RETRY_PERIOD.total_seconds())) * (1 + JITTER * chance)
    return Decision(State.WAITING, min(now + timedelta(seconds=wait), give_up_at))
