"""A fault scenario, its outcome, and the judgement whether its promise held."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Does the harm of a fault: `harm(process.kill)`. Scenarios do harm only through it, so that it can be switched off.
Harm = Callable[..., Any]


def harm(action: Callable[..., object], *arguments: object) -> object:
    """Do it; its result."""
    return action(*arguments)


def no_harm(action: Callable[..., object], *arguments: object) -> None:
    """Do nothing: the fault is switched off."""


@dataclass(frozen=True, slots=True)
class Form:
    """How large a scenario is, and what it must have seen to prove anything.

    `messages`: what the load gets accepted, at least. `least_hits`: of the fault. `load_s`: how long the load takes.
    `fault_s`: how long a fault lasts that has a duration.
    """

    messages: int
    least_hits: int
    load_s: float
    fault_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Injected:
    """How often a fault hit, counted by its effect, and a remark for people."""

    hits: int
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one scenario found."""

    lost: int  # accepted, and never carried out
    doubled: int  # carried out more often than the scenario allows
    unsettled: int  # neither done nor failed when the time to settle was over
    accepted: int  # by the API or by SQS
    hits: int  # of the fault
    detail: str = ""  # a short remark for people

    def kept(self, form: Form) -> bool:
        """Whether everything that the load had to get accepted was, and was carried out once."""
        return self.accepted >= form.messages and not (self.lost or self.doubled or self.unsettled)

    def hit(self, form: Form) -> bool:
        """Whether the fault hit as often as it has to for `kept` to mean anything."""
        return self.hits >= form.least_hits

    def held(self, form: Form) -> bool:
        """Whether the promise was kept under a fault that really happened."""
        return self.kept(form) and self.hit(form)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault under load.

    `run` injects the fault through the given harm, and stops all processes that it started. `inert` is the form for a
    run without the fault, which has to fail because the fault did not hit.
    """

    name: str  # as given on the command line, for example "sending.kill_worker"
    full: Form
    short: Form
    inert: Form
    run: Callable[[Form, Harm], Outcome]
