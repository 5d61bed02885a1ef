"""A hook through which an application counts SQS requests."""

from typing import Protocol


class Observer(Protocol):
    """Called in whichever thread asks; it must be quick and raise nothing. A queue goes by the end of its URL."""

    def requested(self, queue: str, action: str, outcome: str) -> None:
        """SQS was asked. outcome: ok, unavailable, refused, or asked where what came of it is not known."""

    def handled(self, queue: str, action: str, messages: int) -> None:
        """So many messages were in an answered request: SendMessage, ReceiveMessage, DeleteMessage, …"""


class Nobody:
    """Looks away."""

    def requested(self, queue: str, action: str, outcome: str) -> None:
        """Nothing."""

    def handled(self, queue: str, action: str, messages: int) -> None:
        """Nothing."""


_observer: Observer = Nobody()


def observe(observer: Observer) -> None:
    """Have all requests of this process, and of those that it forks, told to this one."""
    global _observer  # noqa: PLW0603 - one for the process, as its counts are
    _observer = observer


def requested(url: str, action: str, outcome: str = "asked") -> None:
    """Tell of a request. url: the queue's, or its name."""
    _observer.requested(url.rsplit("/", 1)[-1], action, outcome)


def handled(url: str, action: str, messages: int) -> None:
    """Tell of messages."""
    _observer.handled(url.rsplit("/", 1)[-1], action, messages)
