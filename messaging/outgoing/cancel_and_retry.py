"""Cancelling an accepted message, and retrying a failed one."""

from django.db import transaction
from django.utils import timezone

from messaging.access import record_action
from messaging.contacts import refusal_of
from messaging.lifecycle import Change, advance_many
from messaging.models import Message
from messaging.outgoing.redrive import again
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
    with transaction.atomic():
        row = _locked(message)
        if not may_move(Status(row.status), Status.CANCELLED):
            raise NotPossible("cancelled", Status(row.status))
        advance_many([Change(row.pk, Status.CANCELLED, timezone.now(), "api")])
        record_action(who, "cancel", f"message {row.pk}", before=row.status)
    message.refresh_from_db()
    return message


def retry(message: Message, who: str) -> Message:
    """Send a failed message again, with fresh attempts.

    Raises NotPossible, also once `expires_at` has passed, or where the contact was blocked or opted out since.

    Not for `unknown`, which legally may become `pending` too: that risks a double, and is an operator's decision.
    """
    with transaction.atomic():
        row = _locked(message)
        if row.status != Status.FAILED:
            raise NotPossible("retried", Status(row.status))
        if row.expires_at is not None and row.expires_at <= timezone.now():
            raise NotPossible("retried", Status.FAILED, "Its expires_at has passed: send a new message.")
        if reason := refusal_of(row):
            raise NotPossible("retried", Status.FAILED, reason)
        again([row], "api")
        record_action(who, "retry", f"message {row.pk}", before=row.status)
    message.refresh_from_db()
    return message


def _locked(message: Message) -> Message:
    # Its state cannot change between the question and the move.
    return Message.objects.select_for_update().get(pk=message.pk)
