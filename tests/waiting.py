"""Waiting for a condition: long for what must come, shortly for what must not.

A test never waits longer than it has to, so a long limit costs nothing; a short one fails on a busy machine.
"""

from collections.abc import Callable

from testkit import waiting

PATIENCE_S = 120.0


def eventually(condition: Callable[[], object], every: float = 0.1) -> bool:
    """Whether the condition became true within two minutes."""
    return waiting.eventually(condition, PATIENCE_S, every)


def never(condition: Callable[[], object], seconds: float, every: float = 0.02) -> bool:
    """Whether the condition stayed false for this many seconds."""
    return not waiting.eventually(condition, seconds, every)
