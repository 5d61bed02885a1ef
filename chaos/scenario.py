"""A fault scenario, its outcome, and the judgement whether its promise held."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Injects a fault: `harm(process.kill)`. Scenarios inject faults only through it, so that they can be switched off.
Harm = Callable[..., Any]


def harm(action: Callable[..., object], *arguments: object) -> object:
    """Call the action; returns its result."""
    return action(*arguments)


def no_harm(action: Callable[..., object], *arguments: object) -> None:
    """Call nothing: the fault is switched off."""


@dataclass(frozen=True, slots=True)
class Form:
    """The size of a scenario, and the minima that make its outcome meaningful.

    messages: messages that the load must get accepted, at least. least_hits: hits of the fault, at least. load_s: the
    load's duration. fault_s: the fault's duration, if it has one.
    """

    messages: int
    least_hits: int
    load_s: float
    fault_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Injected:
    """The hits of a fault, counted by their effect, and a remark for people."""

    hits: int
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one scenario, in messages and hits."""

    lost: int  # accepted, and never carried out
    doubled: int  # carried out more often than the scenario allows
    unsettled: int  # neither done nor failed when the time to settle was over
    accepted: int  # by the API or by SQS
    hits: int  # of the fault
    detail: str = ""  # a short remark for people

    def kept(self, form: Form) -> bool:
        """Whether enough messages were accepted, and each was carried out once."""
        return self.accepted >= form.messages and not (self.lost or self.doubled or self.unsettled)

    def hit(self, form: Form) -> bool:
        """Whether the fault hit often enough."""
        return self.hits >= form.least_hits

    def held(self, form: Form) -> bool:
        """Whether the promise was kept under a fault that hit."""
        return self.kept(form) and self.hit(form)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault under load.

    run: injects the fault through the given `Harm`, and stops all processes that it started. inert: the form of a run
    without the fault, which must fail for lack of hits.
    """

    name: str  # as given on the command line, for example "sending.kill_worker"
    full: Form
    short: Form
    inert: Form
    run: Callable[[Form, Harm], Outcome]
