"""What a fault scenario is, and what it found."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """What one scenario found. The first three counts must be 0 for the promise to hold."""

    lost: int  # accepted from a client or published, and never carried out
    doubled: int  # carried out more often than the scenario allows
    unsettled: int  # neither done nor failed when the time to settle was over
    detail: str = ""  # a short remark for people: what was injected, how often

    @property
    def held(self) -> bool:
        return not (self.lost or self.doubled or self.unsettled)


@dataclass(frozen=True)
class Scenario:
    """One fault under load. ``run`` takes the number of messages and stops everything that it started."""

    name: str  # as given on the command line, for example "sending.kill_worker"
    messages: int  # in the full form
    short: int  # in the short form of a CI run
    run: Callable[[int], Outcome]
