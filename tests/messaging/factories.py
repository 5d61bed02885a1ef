"""A small cast."""

from typing import Any
from uuid import UUID

from django.utils import timezone

from messaging.models import BusinessNumber, Message, MessageEvent
from messaging.services import NewMessage, accept, claim, number_to_send_from, release
from messaging.services.release import Release
from messaging.states import Status


def number(**fields: Any) -> BusinessNumber:
    """The default business number, its token bucket full."""
    row = number_to_send_from()
    BusinessNumber.objects.filter(pk=row.pk).update(tokens=1000, **fields)
    row.refresh_from_db()
    return row


def pending(count: int = 1, peer: str = "", **fields: Any) -> list[Message]:
    """Accepted text messages, each to another recipient unless `peer` is given."""
    sender = number()
    peers = [peer or f"1555{n:07d}" for n in range(count)]
    return accept([NewMessage(to, "text", {"content": "hello"}, sender, **fields) for to in peers])


def released(count: int = 1) -> Release:
    """Messages on their way to a worker."""
    rows = pending(count)
    (batch,) = release(rows[0].number_id)
    return batch


def sending(count: int = 1) -> list[Message]:
    """Messages that a worker has claimed."""
    batch = released(count)
    claim(batch.release_id, batch.message_ids)
    return list(Message.objects.filter(id__in=batch.message_ids))


def in_state(status: Status, **fields: Any) -> Message:
    """One message, put into a state by hand."""
    (row,) = pending()
    Message.objects.filter(pk=row.pk).update(
        status=status, released_at=timezone.now(), outcome_at=timezone.now(), **fields
    )
    row.refresh_from_db()
    return row


def states_of(*ids: UUID) -> list[str]:
    """The current states, in the order of the ids given."""
    found = dict(Message.objects.filter(id__in=ids).values_list("id", "status"))
    return [found[message_id] for message_id in ids]


def trail(message_id: UUID) -> list[tuple[str, bool]]:
    """The events as (status, applied), in the order they were written."""
    return list(MessageEvent.objects.filter(message_id=message_id).order_by("id").values_list("status", "applied"))
