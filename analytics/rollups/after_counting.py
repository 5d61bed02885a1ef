"""Callbacks after each count, which higher packages register, so that rollups need not know them."""

from collections.abc import Callable

_followers: list[Callable[[], None]] = []


def register(follower: Callable[[], None]) -> None:
    """Call `follower` after each count of what was due. Registered again, it is called once."""
    if follower not in _followers:
        _followers.append(follower)


def run() -> None:
    """Call all followers."""
    for follower in _followers:
        follower()
