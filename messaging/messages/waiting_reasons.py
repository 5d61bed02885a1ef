"""Reasons for which a message still waits, in an operator's words."""

from django.utils import timezone

from messaging.models import Message
from messaging.models.messages import PAIR, UNKNOWN
from messaging.states import Status

HOLDS = {
    PAIR: "its recipient's turn",
    UNKNOWN: "your decision: its answer was lost and nothing settles it",
    "campaign": "its campaign to be resumed",
    "template": "its template to be resumed",
}


def waiting_reason(message: Message) -> str:
    """Empty for what does not wait; the message's number is looked at, so select it along."""
    if message.hold:
        return HOLDS.get(message.hold.partition(":")[0], message.hold)
    if message.status == Status.UNKNOWN:
        return "a status of WhatsApp's: the answer was lost"
    return _release_reason(message) if message.status == Status.PENDING else ""


def _release_reason(message: Message) -> str:
    if message.number.paused_at is not None:
        return "its number to be resumed"
    if message.due_at is not None and message.due_at > timezone.now():
        return f"{timezone.localtime(message.due_at):%Y-%m-%d %H:%M:%S}"
    return "its turn"
