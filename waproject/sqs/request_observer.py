"""A hook through which an application counts SQS requests."""

from typing import Protocol


class Observer(Protocol):
    """Called in the thread of the request; it must return fast and raise nothing. `queue`: the end of its URL."""

    def requested(self, queue: str, action: str, outcome: str) -> None:
        """A request was made. outcome: ok, unavailable, refused; `asked` where the outcome is not known."""

    def handled(self, queue: str, action: str, messages: int) -> None:
        """The number of messages in an answered request: SendMessage, ReceiveMessage, DeleteMessage, …"""


class NullObserver:
    """Counts nothing."""

    def requested(self, queue: str, action: str, outcome: str) -> None:
        """Nothing."""

    def handled(self, queue: str, action: str, messages: int) -> None:
        """Nothing."""


_observer: Observer = NullObserver()


def observe(observer: Observer) -> None:
    """Set the observer of this process and of the processes that it forks."""
    global _observer  # noqa: PLW0603 - one for the process, as its counts are
    _observer = observer


def requested(url: str, action: str, outcome: str = "asked") -> None:
    """Report a request to the observer. url: the queue's URL or name."""
    _observer.requested(url.rsplit("/", 1)[-1], action, outcome)


def handled(url: str, action: str, messages: int) -> None:
    """Report messages to the observer."""
    _observer.handled(url.rsplit("/", 1)[-1], action, messages)
