"""What a webhook of Meta becomes: messages stored once, statuses applied forward, the rest kept as unknown."""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from messaging.models import (
    BusinessNumber,
    Contact,
    Direction,
    Message,
    MessageEvent,
    StoredWebhook,
    UnknownUpdate,
)
from messaging.services.contacts import contacts_of
from messaging.services.deadlocks import retrying_deadlocks
from messaging.services.statuses import apply_statuses
from messaging.services.transitions import Logged, announce_changes
from messaging.signals import announce, message_received
from messaging.states import Status
from messaging.whatsapp.inbound import InboundMessage, Normalised, Unknown, normalise
from messaging.whatsapp.storable import storable

NUMBER_ID_LENGTH = 32
TYPE_LENGTH = 32
# Longer than its task may be retried: until then the task is the one to do it.
STORED_LOST_AFTER = timedelta(hours=2)


def receive(*bodies: object) -> None:
    """Store everything in these webhook bodies, in one transaction, then tell the signals' receivers.

    The same body again stores nothing twice. Raises django.db errors when the database is away.
    """
    pieces = [normalise(body) for body in bodies]
    received, logged = store(
        Normalised(
            tuple(message for piece in pieces for message in piece.messages),
            tuple(status for piece in pieces for status in piece.statuses),
            tuple(unknown for piece in pieces for unknown in piece.unknown),
        )
    )
    if message_received.has_listeners(Message):
        for message_id in received:
            announce(message_received, Message, message_id=message_id)
    announce_changes(logged)


def receive_stored(stored_id: int) -> None:
    """Like `receive`, for a body that was too large for the queue; a copy of the task finds it gone."""
    stored = StoredWebhook.objects.filter(pk=stored_id).first()
    if stored is not None:
        receive(stored.body)
        stored.delete()


@retrying_deadlocks
def store(normalised: Normalised) -> tuple[list[UUID], list[Logged]]:
    """Returns the ids of the messages that are new, and what was logged of all."""
    messages = [message for message in normalised.messages if _number_id(message)]
    homeless = [
        Unknown("message without a business number", None, message.raw)
        for message in normalised.messages
        if not _number_id(message)
    ]
    with transaction.atomic():
        received, logged = _store_messages(messages)
        _store_unknown([*normalised.unknown, *homeless, *_others_of_a_wamid(messages, received)])
        logged += apply_statuses(normalised.statuses)
    return received, logged


def _number_id(message: InboundMessage) -> str:
    """The business number's id at Meta; empty where it is missing or cannot be one."""
    number_id = message.phone_number_id or ""
    return number_id if len(number_id) <= NUMBER_ID_LENGTH else ""


def _numbers(messages: Iterable[InboundMessage]) -> dict[str, BusinessNumber]:
    """The business numbers by Meta's id. One that signed webhooks name and we do not know is ours too: it is added."""
    named = {_number_id(message): message for message in messages}
    known = {n.phone_number_id: n for n in BusinessNumber.objects.filter(phone_number_id__in=named)}
    missing = [
        BusinessNumber(
            phone_number_id=phone_number_id,
            display_phone_number=(message.display_phone_number or "")[:NUMBER_ID_LENGTH],
            waba_id=(message.waba_id or "")[:NUMBER_ID_LENGTH],
        )
        for phone_number_id, message in sorted(named.items())
        if phone_number_id not in known
    ]
    if missing:
        BusinessNumber.objects.bulk_create(missing, ignore_conflicts=True)
        known.update({n.phone_number_id: n for n in BusinessNumber.objects.filter(phone_number_id__in=named)})
    return known


def _store_messages(messages: Sequence[InboundMessage]) -> tuple[list[UUID], list[Logged]]:
    by_wamid = {message.wamid: message for message in reversed(messages)}
    if not by_wamid:
        return [], []
    numbers = _numbers(by_wamid.values())
    contacts = contacts_of(by_wamid.values())
    rows = [
        _row(message, numbers[_number_id(message)], contacts.get(message.wamid))
        for _, message in sorted(by_wamid.items())
    ]
    Message.objects.bulk_create(rows, ignore_conflicts=True)
    # An id that is there is new: rows that were in conflict kept the id of the first delivery.
    stored = set(Message.objects.filter(id__in=[row.id for row in rows]).values_list("id", flat=True))
    new = [row for row in rows if row.id in stored]
    events = MessageEvent.objects.bulk_create(
        MessageEvent(message_id=row.id, status=Status.RECEIVED, at=row.at, source="webhook") for row in new
    )
    logged = [Logged(event.pk, event.message_id, Status.RECEIVED, applied=False) for event in events]
    return [row.id for row in new], logged


def _others_of_a_wamid(messages: Sequence[InboundMessage], received: Collection[UUID]) -> list[Unknown]:
    """Messages whose wamid another message has. It should not happen; if it does, the second is kept as unknown.

    A delivery that is repeated has the same type and time, and is none of these.
    """
    if len(received) == len(messages):
        return []
    wamids = {message.wamid for message in messages}
    first = {
        wamid: (kind, at)
        for wamid, kind, at in Message.objects.filter(wamid__in=wamids).values_list("wamid", "type", "at")
    }
    return [
        Unknown("message with the wamid of another", message.phone_number_id, message.raw)
        for message in messages
        if (message.type[:TYPE_LENGTH], message.timestamp or first[message.wamid][1]) != first[message.wamid]
    ]


def _row(message: InboundMessage, number: BusinessNumber, contact: Contact | None) -> Message:
    return Message(
        direction=Direction.INBOUND,
        number=number,
        contact=contact,
        peer=message.sender or message.sender_user_id or "",
        wamid=message.wamid,
        type=message.type[:TYPE_LENGTH],
        content=message.content,
        text=message.text or "",
        raw=message.raw,
        status=Status.RECEIVED,
        at=message.timestamp or timezone.now(),
    )


def _store_unknown(unknown: Iterable[Unknown]) -> None:
    rows = [
        UnknownUpdate(
            kind=piece.kind[:100],
            phone_number_id=(piece.phone_number_id or "")[:32],
            raw=piece.raw,
            digest=_digest(piece),
        )
        for piece in unknown
    ]
    rows.sort(key=lambda row: row.digest)
    if rows:
        UnknownUpdate.objects.bulk_create(rows, ignore_conflicts=True)


def _digest(piece: Unknown) -> str:
    text = json.dumps([piece.kind, piece.phone_number_id, piece.raw], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def sweep_stored_webhooks() -> list[Logged]:
    """Work on stored bodies whose task got lost, a few at a time. Nothing is left to announce: `receive` did."""
    lost = StoredWebhook.objects.filter(received_at__lt=timezone.now() - STORED_LOST_AFTER).order_by("id")
    for stored_id in lost.values_list("id", flat=True)[:10]:
        receive_stored(stored_id)
    return []


def keep_for_later(body: object) -> int:
    """Store a body that does not fit on the queue and return the id that the queue carries instead."""
    return StoredWebhook.objects.create(body=storable(body)).pk
