"""Numbers and messages in given states."""

from typing import Any
from uuid import UUID

from django.utils import timezone

from messaging.accepting.accept import NewMessage, accept
from messaging.accepting.sending_numbers import sending_number
from messaging.models import BusinessNumber, Message, MessageEvent
from messaging.outgoing.claims import Claimed, claim
from messaging.outgoing.outcomes import Outcome, record
from messaging.outgoing.release import Release, release
from messaging.states import Status
from messaging.whatsapp.client import Accepted
from messaging.whatsapp.errors import WhatsAppError


def number(**fields: Any) -> BusinessNumber:
    """The default business number after a pause, with Meta's higher throughput unless `rate` says otherwise."""
    row = sending_number()
    BusinessNumber.objects.filter(pk=row.pk).update(**{"rate": 1000, "tokens": 1, **fields})
    row.refresh_from_db()
    return row


def pending(count: int = 1, peer: str = "", **fields: Any) -> list[Message]:
    """Accepted text messages, each to another recipient unless `peer` is given."""
    sender = number()
    peers = [peer or f"1555{n:07d}" for n in range(count)]
    return accept([NewMessage(to, "text", {"content": "hello"}, sender, **fields) for to in peers])


def claimed(**fields: Any) -> Claimed:
    """One message, claimed by a worker."""
    pending(**fields)
    (batch,) = release(number().pk)
    (row,) = claim([batch])
    return row


def answered(row: Claimed, result: Accepted | WhatsAppError | None) -> Message:
    """The message after the recording of this result."""
    record([Outcome(row, result, timezone.now())])
    return Message.objects.get(pk=row.message_id)


def accepted(wamid: str = "wamid.X1", message_status: str | None = None) -> Accepted:
    """An acceptance by Meta."""
    return Accepted(wamid=wamid, wa_id=None, user_id=None, message_status=message_status)


def release_due() -> list[UUID]:
    """Release due messages of the default number; it has paused before."""
    return [message_id for batch in release(number().pk) for message_id in batch.message_ids]


def released(count: int = 1) -> Release:
    """A release of this many messages."""
    rows = pending(count)
    (batch,) = release(rows[0].number_id)
    return batch


def sending(count: int = 1) -> list[Message]:
    """This many messages, claimed by a worker."""
    batch = released(count)
    claim([batch])
    return list(Message.objects.filter(id__in=batch.message_ids))


def in_state(status: Status, **fields: Any) -> Message:
    """One message with this status, set directly."""
    (row,) = pending()
    Message.objects.filter(pk=row.pk).update(
        status=status, released_at=timezone.now(), outcome_at=timezone.now(), **fields
    )
    row.refresh_from_db()
    return row


def states_of(*ids: UUID) -> list[str]:
    """The current statuses, in the order of the ids."""
    found = dict(Message.objects.filter(id__in=ids).values_list("id", "status"))
    return [found[message_id] for message_id in ids]


def trail(message_id: UUID) -> list[tuple[str, bool]]:
    """The message's events as (status, applied), in the order of their recording."""
    return list(MessageEvent.objects.filter(message_id=message_id).order_by("id").values_list("status", "applied"))
