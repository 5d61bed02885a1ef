"""The plan of a message's statuses: Meta's usual order, and Meta's deviations from it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..settings import Behaviour

DELIVERED, FAILED, PLAYED, READ, SENT = "delivered", "failed", "played", "read", "sent"
# A user looks at a voice message before playing it.
PLAYED_AFTER_READ_MS = 300
Chance = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Planned:
    """A status, this many milliseconds after the message was accepted."""

    status: str
    after_ms: int


def plan_of(
    message_type: str,
    node: Any,
    behaviour: Behaviour,
    failure: int | None = None,
    chance: Chance = random.random,
) -> list[Planned]:
    """The statuses of a message in the order of their times; ``failure`` is the code of a message that fails."""
    sent_ms, delivered_ms, read_ms = behaviour.status_delays_ms
    if failure is not None:
        return _plan_of_failed(behaviour, chance)
    plan = [Planned(SENT, sent_ms)]
    # Meta leaves delivered out only where read implies it.
    if not (behaviour.read and chance() < behaviour.skip_delivered):
        plan.append(Planned(DELIVERED, delivered_ms))
    if behaviour.read:
        plan.append(Planned(READ, read_ms))
        if message_type == "audio" and isinstance(node, dict) and node.get("voice") is True and behaviour.played:
            plan.append(Planned(PLAYED, max(sent_ms, delivered_ms, read_ms) + PLAYED_AFTER_READ_MS))
    return sorted(plan, key=lambda planned: planned.after_ms)


def _plan_of_failed(behaviour: Behaviour, chance: Chance) -> list[Planned]:
    sent_ms, delivered_ms, read_ms = behaviour.status_delays_ms
    plan = [Planned(FAILED, sent_ms)]
    if chance() < behaviour.sent_before_failed:
        plan = [Planned(SENT, sent_ms), Planned(FAILED, max(sent_ms, delivered_ms))]
    if chance() < behaviour.delivered_after_failed:
        plan.append(Planned(DELIVERED, max(plan[-1].after_ms, read_ms)))
    return plan
