"""The reason why a message still waits, for operators and the admin."""

from django.utils import timezone

from messaging.models import Message
from messaging.models.messages import LIMIT, PAIR, QUALITY, UNKNOWN
from messaging.states import Status

HOLDS = {
    PAIR: "an earlier message to the same recipient",
    LIMIT: "the portfolio's messaging limit: enough new recipients were written to in the last 24 hours",
    UNKNOWN: "your decision: Meta's answer was lost, and no status has arrived",
    QUALITY: "Meta's quality assessment of its template: Meta has the message, and delivers or drops it afterwards",
    "campaign": "its campaign to be resumed",
    "template": "its template to be resumed",
    "budget": "its budget to be raised",
}


def waiting_reason(message: Message) -> str:
    """The reason, as what the message waits for; empty if it does not wait. Reads `message.number`."""
    if message.hold:
        return HOLDS.get(message.hold.partition(":")[0], message.hold)
    if message.status == Status.UNKNOWN:
        return "a status from WhatsApp: Meta's answer was lost"
    return _release_reason(message) if message.status == Status.PENDING else ""


def _release_reason(message: Message) -> str:
    if message.number.paused_at is not None:
        return "its number to be resumed"
    if message.due_at is not None and message.due_at > timezone.now():
        return f"{timezone.localtime(message.due_at):%Y-%m-%d %H:%M:%S}"
    return "its release"
