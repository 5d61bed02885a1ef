"""The timeline of a message: its events in reading order."""

from messaging.models import Message, MessageEvent
from messaging.states import RANK, Status


def timeline(message: Message) -> list[MessageEvent]:
    """The events, oldest first.

    Meta's times are whole seconds: within one second, our own events come first in the order of writing, then Meta's in
    the order of their status.
    """
    return sorted(message.events.all(), key=_sort_key)


def _sort_key(event: MessageEvent) -> tuple[int, int, int, int]:
    from_meta = event.source == "webhook"
    rank = RANK.get(Status(event.status), -1) if from_meta else 0
    return int(event.at.timestamp()), int(from_meta), rank, event.pk
