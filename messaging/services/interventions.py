"""What a client or an operator may do to one message after it was accepted: cancel it, or try a failed one again."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from messaging.models import Message
from messaging.services.audit import note
from messaging.services.transitions import Change, advance_many, announce_changes
from messaging.states import Status, may_move

_GONE = "WhatsApp has it: it can be neither cancelled nor sent again. Send a new message."
_OVER = "It will not be sent. Send a new message."
# What can be done with a message, by its state.
OPTIONS: dict[Status, str] = {
    Status.PENDING: "It waits to be sent and can be cancelled.",
    Status.QUEUED: "It is about to be sent and can be cancelled.",
    Status.SENDING: "It is being sent: wait for the outcome.",
    Status.UNKNOWN: (
        "WhatsApp's answer was lost. A status, its on_unknown or an operator settles it; until then sending it again "
        "could reach the recipient twice."
    ),
    Status.ACCEPTED: _GONE,
    Status.SENT: _GONE,
    Status.DELIVERED: _GONE,
    Status.READ: _GONE,
    Status.FAILED: "It can be retried.",
    Status.CANCELLED: _OVER,
    Status.EXPIRED: _OVER,
    Status.RECEIVED: "It is an inbound message.",
}


class NotPossible(Exception):
    """The message's state does not allow it; the text says what can be done instead."""

    def __init__(self, wanted: str, status: Status, options: str = "") -> None:
        super().__init__(wanted, status)
        self.status = status
        self.message = f"The message is {status} and cannot be {wanted}. {options or OPTIONS[status]}"

    def __str__(self) -> str:
        return self.message


def cancel(message: Message, who: str) -> Message:
    """Keep a message that was not sent yet from being sent. Raises NotPossible, also if a worker was faster."""
    return _move(message, Status.CANCELLED, "cancelled", "cancel", who)


def retry(message: Message, who: str) -> Message:
    """Send a failed message again, with fresh attempts. Raises NotPossible, also once `expires_at` has passed.

    Not for `unknown`, which legally may become `pending` too: that risks a double, and is an operator's decision.
    """
    if message.status == Status.FAILED and message.expires_at is not None and message.expires_at <= timezone.now():
        raise NotPossible("retried", Status.FAILED, "Its expires_at has passed: send a new message.")
    if message.status == Status.UNKNOWN:
        raise NotPossible("retried", Status.UNKNOWN)
    return _move(message, Status.PENDING, "retried", "retry", who)


def _move(message: Message, after: Status, wanted: str, action: str, who: str) -> Message:
    before = Status(message.status)
    if not may_move(before, after) or (after is Status.PENDING and before is not Status.FAILED):
        raise NotPossible(wanted, before)
    now = timezone.now()
    expected = Status.FAILED if after is Status.PENDING else None
    with transaction.atomic():
        logged = advance_many([Change(message.id, after, now, "api", due_at=now, expected=expected)])
        moved = any(event.applied for event in logged)
        if moved:
            note(who, action, f"message {message.id}", before=before)
            if after is Status.PENDING:
                _start_afresh(message)
    announce_changes(logged)
    message.refresh_from_db()
    if not moved:
        raise NotPossible(wanted, Status(message.status))
    return message


def _start_afresh(message: Message) -> None:
    """Nothing that the lane counted before counts now, and a copy that still waits on the DLQ is of the past."""
    Message.objects.filter(pk=message.pk).update(
        attempts=0, releases=0, generation=F("generation") + 1, exhausted_at=None, dead_lettered_at=None, capped_at=None
    )
