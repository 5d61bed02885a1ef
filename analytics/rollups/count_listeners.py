"""Callbacks after each count, which higher packages register, so that rollups need not know them."""

from collections.abc import Callable

_listeners: list[Callable[[], None]] = []


def register(listener: Callable[[], None]) -> None:
    """Call `listener` after each count of what was due. Registered again, it is called once."""
    if listener not in _listeners:
        _listeners.append(listener)


def run() -> None:
    """Call all listeners."""
    for listener in _listeners:
        listener()
