"""The timeline of a message: its events in reading order."""

from messaging.models import Message, MessageEvent
from messaging.states import RANK, Status


def timeline(message: Message) -> list[MessageEvent]:
    """Oldest first.

    Meta's times are whole seconds: within one second ours come first, in the order we wrote them, then Meta's by state.
    """
    return sorted(message.events.all(), key=_place)


def _place(event: MessageEvent) -> tuple[int, int, int, int]:
    from_meta = event.source == "webhook"
    rank = RANK.get(Status(event.status), -1) if from_meta else 0
    return int(event.at.timestamp()), int(from_meta), rank, event.pk
