"""Cancelling an accepted message, and retrying a failed one."""

from django.db import transaction
from django.utils import timezone

from messaging.access import record_action
from messaging.contacts import refusal_of
from messaging.lifecycle import Change, advance_many
from messaging.models import Message
from messaging.outgoing.redrive import reset_to_pending
from messaging.states import Status, may_move

_SENT = "WhatsApp has it: it can be neither cancelled nor sent again. Send a new message."
_ENDED = "It will not be sent. Send a new message."
# The actions that a status allows, in words for the client.
OPTIONS: dict[Status, str] = {
    Status.PENDING: "It waits to be sent and can be cancelled.",
    Status.QUEUED: "It is about to be sent and can be cancelled.",
    Status.SENDING: "It is being sent: wait for the outcome.",
    Status.UNKNOWN: (
        "WhatsApp's answer was lost. A status, its on_unknown or an operator settles it; until then sending it again "
        "could reach the recipient twice."
    ),
    Status.ACCEPTED: _SENT,
    Status.SENT: _SENT,
    Status.DELIVERED: _SENT,
    Status.READ: _SENT,
    Status.FAILED: "It can be retried.",
    Status.CANCELLED: _ENDED,
    Status.EXPIRED: _ENDED,
    Status.RECEIVED: "It is an inbound message.",
}


class NotPossible(Exception):
    """The message's status does not allow the action; the text says what is possible instead."""

    def __init__(self, wanted: str, status: Status, options: str = "") -> None:
        super().__init__(wanted, status)
        self.status = status
        self.message = f"The message is {status} and cannot be {wanted}. {options or OPTIONS[status]}"

    def __str__(self) -> str:
        return self.message


def cancel(message: Message, who: str) -> Message:
    """Cancel a message that is not sent yet. Raises NotPossible, also if a worker has claimed it meanwhile."""
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

    Raises NotPossible, also once `expires_at` has passed, its text was deleted, or the contact is blocked or has opted
    out since; and for a message of another app.

    Not for `unknown`, although that may become `pending` too: it risks a duplicate, which is an operator's decision.
    """
    with transaction.atomic():
        row = _locked(message)
        if row.status != Status.FAILED:
            raise NotPossible("retried", Status(row.status))
        if row.expires_at is not None and row.expires_at <= timezone.now():
            raise NotPossible("retried", Status.FAILED, "Its expires_at has passed: send a new message.")
        if row.content_deleted_at is not None:
            raise NotPossible("retried", Status.FAILED, "Its text has been deleted: send a new message.")
        if not row.can_be_sent_again:
            raise NotPossible("retried", Status.FAILED, "Another app has sent it: send a new message.")
        if reason := refusal_of(row):
            raise NotPossible("retried", Status.FAILED, reason)
        reset_to_pending([row], "api")
        record_action(who, "retry", f"message {row.pk}", before=row.status)
    message.refresh_from_db()
    return message


def _locked(message: Message) -> Message:
    # The status cannot change between check and change.
    return Message.objects.select_for_update().get(pk=message.pk)
