"""Waiting for a condition, by polling."""

import time
from collections.abc import Callable


class NotReady(Exception):
    """A process did not start or a condition did not become true in time."""


def eventually(condition: Callable[[], object], timeout: float = 20, every: float = 0.1) -> bool:
    """Whether the condition became true within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(every)
    return bool(condition())


def wait_until(condition: Callable[[], object], what: str, timeout: float = 60.0, every: float = 0.05) -> None:
    """Wait for the condition. Raises NotReady, naming `what`, after `timeout` seconds."""
    if not eventually(condition, timeout, every):
        raise NotReady(f"{what}: not within {timeout:.0f} s")
