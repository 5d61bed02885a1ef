"""Storage of webhooks: each message once, statuses forward only, everything else as unknown updates."""

import hashlib
import json
import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from messaging.contacts import MARKETING_OPT_OUT_CODE, update_contacts
from messaging.erasure import without_erased
from messaging.incoming.account_events import store_events
from messaging.incoming.business_numbers import NUMBER_ID_LENGTH, number_id, numbers_of_messages
from messaging.incoming.statuses import apply_statuses
from messaging.lifecycle import MessageReceived, announce_events, publish_events, retry_on_deadlock
from messaging.media import expect_media
from messaging.models import (
    BusinessNumber,
    Contact,
    Direction,
    Message,
    MessageEvent,
    StoredWebhook,
)
from messaging.retention import is_beyond_retention
from messaging.states import Status
from messaging.whatsapp.inbound import InboundMessage, Normalised, Origin, Unknown, normalise
from messaging.whatsapp.recipients import canonical
from messaging.whatsapp.storable import storable
from waproject import tracing
from waproject.logs.context import note_messages

logger = logging.getLogger(__name__)

TYPE_LENGTH = 32
# Longer than a task is retried; until then its task processes the body.
TASK_LOST_AFTER = timedelta(hours=2)


def receive(*bodies: object) -> None:
    """Store everything in these webhook bodies, in one transaction.

    A repeated body stores nothing twice. Raises django.db errors if the database is unavailable.
    """
    store(without_erased(sum((normalise(body) for body in bodies), Normalised())))


def receive_stored(stored_id: int) -> None:
    """As `receive`, for a body that was too large for the queue. A duplicate task finds no row."""
    stored = StoredWebhook.objects.filter(pk=stored_id).first()
    if stored is not None:
        receive(stored.body)
        stored.delete()


@retry_on_deadlock
def store(normalised: Normalised) -> None:
    """Store messages, statuses, account events and unknown updates, in one transaction."""
    recent = [message for message in normalised.messages if not is_beyond_retention(message.timestamp)]
    messages = [message for message in recent if number_id(message)]
    without_number = [
        Unknown("message without a business number", None, message.raw) for message in recent if not number_id(message)
    ]
    with transaction.atomic():
        numbers = numbers_of_messages(messages, _referenced_numbers(normalised))
        new = _store_messages(messages, normalised, numbers)
        _store_unknown([*normalised.unknown, *without_number, *_wamid_conflicts(messages, [row.id for row in new])])
        store_events(normalised.events)
        apply_statuses(normalised.statuses)
        received = [row.id for row in new if row.origin == Origin.USER and not (row.contact and row.contact.blocked_at)]
        publish_events([MessageReceived(message_id) for message_id in received])


def _referenced_numbers(normalised: Normalised) -> set[str]:
    """The business numbers that consent changes and identities refer to."""
    failed = [status for status in normalised.statuses if status.error_code == MARKETING_OPT_OUT_CODE]
    return {
        *(preference.phone_number_id or "" for preference in normalised.preferences),
        *(pair.phone_number_id or "" for pair in normalised.pairs),
        *(status.phone_number_id or "" for status in failed),
    }


def _store_messages(
    messages: Sequence[InboundMessage], normalised: Normalised, numbers: dict[str, BusinessNumber]
) -> list[Message]:
    by_wamid: dict[str, InboundMessage] = {}
    for message in messages:
        by_wamid.setdefault(message.wamid, message)
    contacts = update_contacts(list(by_wamid.values()), normalised, numbers)
    # Created in Meta's order, so that ids keep it within one second; inserted in wamid order, so that workers do not
    # deadlock.
    rows = [_row(message, numbers[number_id(message)], contacts.get(message.wamid)) for message in by_wamid.values()]
    if not rows:
        return []
    rows.sort(key=lambda row: row.wamid or "")
    Message.objects.bulk_create(rows, ignore_conflicts=True)
    # An id that is found is new: on a conflict the row keeps the id of its first delivery.
    stored = set(Message.objects.filter(id__in=[row.id for row in rows]).values_list("id", flat=True))
    new = sorted((row for row in rows if row.id in stored), key=lambda row: row.id)
    events = MessageEvent.objects.bulk_create(
        MessageEvent(message_id=row.id, status=row.status, at=row.at, source="webhook") for row in new
    )
    announce_events([event.pk for event in events])
    expect_media(new)
    note_messages(row.id for row in new)
    return new


def _wamid_conflicts(messages: Sequence[InboundMessage], received: Collection[UUID]) -> list[Unknown]:
    """Messages whose wamid belongs to another stored message, as unknown updates. Meta should never send any.

    A repeated delivery has the same type and time, and is not a conflict.
    """
    if len(received) == len(messages):
        return []
    wamids = {message.wamid for message in messages}
    stored = Message.objects.filter(wamid__in=wamids).only("wamid", "type", "at", "created_at")
    first = {row.wamid: row for row in stored}
    return [
        Unknown("message with the wamid of another", message.phone_number_id, message.raw)
        for message in messages
        if not _is_repetition(message, first[message.wamid])
    ]


def _is_repetition(message: InboundMessage, stored: Message) -> bool:
    at = message.timestamp
    # A timestamp in the future is stored as the time of its storage.
    is_same_time = at is None or stored.at in (at, min(at, stored.created_at))
    return is_same_time and message.type[:TYPE_LENGTH] == stored.type


def _row(message: InboundMessage, number: BusinessNumber, contact: Contact | None) -> Message:
    # A user's wrong clock must not put a message ahead of later ones.
    now = timezone.now()
    at = min(message.timestamp or now, now)
    return Message(
        direction=Direction.OUTBOUND if message.outgoing else Direction.INBOUND,
        number=number,
        contact=contact,
        peer=canonical(message.sender or message.sender_user_id or ""),
        wamid=message.wamid,
        type=message.type[:TYPE_LENGTH],
        content=message.content,
        text=message.text or "",
        context_wamid=message.context_wamid or "",
        origin=message.origin,
        raw=message.raw,
        # An echo: another app has sent it, so it is released and has its outcome; its statuses find it.
        status=Status.SENT if message.outgoing else Status.RECEIVED,
        released_at=at if message.outgoing else None,
        outcome_at=at if message.outgoing else None,
        at=at,
        created_at=now,
        traceparent=tracing.current(),
    )


def _store_unknown(unknown: Iterable[Unknown]) -> None:
    pieces = {_digest(piece): piece for piece in unknown}
    ordered = sorted(pieces)
    if not ordered:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO messaging_unknownupdate
              (kind, phone_number_id, raw, digest, received_at, seen, last_seen_at)
            SELECT t.kind, t.number, t.raw::jsonb, t.digest, statement_timestamp(), 1, statement_timestamp()
            FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]) AS t(kind, number, raw, digest)
            ON CONFLICT (digest) DO UPDATE
              SET seen = least(messaging_unknownupdate.seen, 2147483646) + 1, last_seen_at = statement_timestamp()
            """,
            [
                [pieces[digest].kind[:100] for digest in ordered],
                [(pieces[digest].phone_number_id or "")[:NUMBER_ID_LENGTH] for digest in ordered],
                [json.dumps(pieces[digest].raw) for digest in ordered],
                ordered,
            ],
        )


def _digest(piece: Unknown) -> str:
    text = json.dumps([piece.kind, piece.phone_number_id, piece.raw], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def sweep_stored_webhooks() -> None:
    """Process stored bodies whose task was lost, ten at a time. One that fails is tried again after TASK_LOST_AFTER,
    so that it does not hold up the others.
    """
    now = timezone.now()
    lost = StoredWebhook.objects.filter(received_at__lt=now - TASK_LOST_AFTER).order_by("received_at", "id")
    for stored_id in lost.values_list("id", flat=True)[:10]:
        try:
            receive_stored(stored_id)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # the text of an error may quote a message
            logger.error("stored webhook %s cannot be processed: %s", stored_id, type(error).__name__)
            StoredWebhook.objects.filter(pk=stored_id).update(received_at=now)


def store_body(body: object) -> int:
    """Store a body that is too large for the queue; returns the id to queue instead."""
    return StoredWebhook.objects.create(body=storable(body)).pk
