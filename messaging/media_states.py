"""States of a media file, and the decision after a download attempt."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from messaging.whatsapp.media import KEPT_FOR_DAYS
from messaging.whatsapp.media_api import Trouble

# Seconds before the next try, by the tries before it; the last for all that follow.
WAITS_S = (2, 10, 60, 300, 900, 3600)
# What only a person can put right is asked for seldom, and all the same: then nobody has to come back for it.
MISCONFIGURED_WAIT_S = 900
# Each wait is up to a fifth longer, so that what failed together does not come back together.
JITTER = 0.2
# A day less than Meta keeps a file.
TRIED_FOR = timedelta(days=KEPT_FOR_DAYS - 1)
# A file that came broken comes broken again, or the line was bad.
BROKEN_TRIES = 3


class State(StrEnum):
    """A file waits for its (next) try, or is here, or will not come: Meta has it no more, it is over the limit, it is
    not the one that Meta told of, or the time is over.
    """

    WAITING = "waiting"
    STORED = "stored"
    GONE = "gone"
    TOO_LARGE = "too_large"
    DAMAGED = "damaged"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether nothing more is done about it, unless a person asks."""
        return self is not State.WAITING


def states() -> list[tuple[str, str]]:
    """For a model field."""
    return [(state.value, state.name.replace("_", " ").capitalize()) for state in State]


class Ours(StrEnum):
    """What went wrong with a file that came: its size or SHA-256 is not what Meta told; it could not be kept."""

    BROKEN = "broken"
    NOT_KEPT = "not_kept"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a try brought nothing; `wait_s` is what Meta asks for."""

    why: Trouble | Ours
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a file is after a try, and when the next one is due."""

    state: State
    due_at: datetime | None = None


_FINAL: dict[Trouble | Ours, State] = {
    Trouble.GONE: State.GONE,
    Trouble.TOO_LARGE: State.TOO_LARGE,
    Trouble.REFUSED: State.FAILED,
}


def decide(failure: Failure | None, tries: int, give_up_at: datetime, now: datetime, chance: float) -> Decision:
    """After the `tries`th try, which failed or not. The last try is made when the time is over; `chance` is within
    [0, 1).
    """
    if failure is None:
        return Decision(State.STORED)
    why = failure.why
    if why in _FINAL:
        return Decision(_FINAL[why])
    if why is Ours.BROKEN and tries >= BROKEN_TRIES:
        return Decision(State.DAMAGED)
    if now >= give_up_at:
        return Decision(State.FAILED)
    wait: float = WAITS_S[min(tries, len(WAITS_S)) - 1] if tries else 0
    if why is Trouble.MISCONFIGURED:
        wait = max(wait, MISCONFIGURED_WAIT_S)
    wait = max(wait, min(failure.wait_s, TRIED_FOR.total_seconds())) * (1 + JITTER * chance)
    return Decision(State.WAITING, min(now + timedelta(seconds=wait), give_up_at))
