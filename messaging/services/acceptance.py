"""How a message enters: a row, `pending`, and the first line of its trail. Nothing else happens in the request."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from messaging.models import ApiClient, BusinessNumber, Direction, Message, MessageEvent, Priority
from messaging.states import Status


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A validated message: `peer` in digits, `content` as `outbound.validate` returned it."""

    peer: str
    type: str
    content: dict[str, object]
    number: BusinessNumber
    priority: Priority = Priority.NORMAL
    due_at: datetime | None = None


class UnknownNumber(ValueError):
    """The business number to send from is not one of ours."""

    def __str__(self) -> str:
        return f"No business number has the id {self.args[0]!r}."


def numbers_to_send_from(ids: Iterable[str | None]) -> dict[str | None, BusinessNumber]:
    """Our numbers by Meta's id, None standing for the default one (WA_PHONE_NUMBER_ID); strangers are left out."""
    wanted = set(ids)
    named = wanted - {None}
    found: dict[str | None, BusinessNumber] = {}
    if named:
        found.update({row.phone_number_id: row for row in BusinessNumber.objects.filter(phone_number_id__in=named)})
    if None in wanted:
        found[None] = BusinessNumber.objects.get_or_create(phone_number_id=settings.WA_PHONE_NUMBER_ID)[0]
    return found


def number_to_send_from(phone_number_id: str | None = None) -> BusinessNumber:
    """One of our numbers, as above. Raises UnknownNumber."""
    try:
        return numbers_to_send_from([phone_number_id])[phone_number_id]
    except KeyError:
        raise UnknownNumber(phone_number_id) from None


def accept(new: Sequence[NewMessage], client: ApiClient | None = None) -> list[Message]:
    """Store any number of messages, all or none, ready for the dispatcher."""
    now = timezone.now()
    rows = [
        Message(
            direction=Direction.OUTBOUND,
            number=message.number,
            peer=message.peer,
            type=message.type,
            content=message.content,
            text=str(message.content.get("content", "")),
            status=Status.PENDING,
            priority=message.priority,
            due_at=message.due_at or now,
            client=client,
            at=now,
        )
        for message in new
    ]
    with transaction.atomic():
        Message.objects.bulk_create(rows)
        MessageEvent.objects.bulk_create(
            MessageEvent(message_id=row.id, status=Status.PENDING, at=now, source="api") for row in rows
        )
    return rows
