"""Payloads of deliveries: JSON built at sending time from the rows that they reference."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from messaging.media import media_of
from messaging.models import AccountEvent, Delivery, EventType, Message, MessageEvent
from messaging.models.messages import QUALITY
from messaging.states import Status


def build_payloads(deliveries: Sequence[Delivery]) -> dict[UUID, bytes]:
    """The payloads by delivery id, in at most three queries. Without those whose rows or content are deleted."""
    messages: dict[UUID | None, Message] = {
        row.pk: row
        for row in Message.objects.filter(pk__in={d.message_id for d in deliveries if d.message_id}).select_related(
            "number", "contact", "media"
        )
    }
    changes = _by_pk(MessageEvent, {d.message_event_id for d in deliveries if d.message_event_id})
    events = _by_pk(AccountEvent, {d.account_event_id for d in deliveries if d.account_event_id})
    payloads = {}
    for delivery in deliveries:
        match delivery.event:
            case EventType.MESSAGE_RECEIVED if (message := messages.get(delivery.message_id)) and (
                message.content_deleted_at is None
            ):
                at, data = message.at, _received(message)
            case EventType.MESSAGE_MEDIA if message := messages.get(delivery.message_id):
                at, data = delivery.created_at, {**_common(message), "media": media_of(message, settings.BASE_URL)}
            case EventType.MESSAGE_STATUS_CHANGED if (message := messages.get(delivery.message_id)) and (
                change := changes.get(delivery.message_event_id)
            ):
                at, data = change.at, _status_changed(message, change)
            case EventType.ACCOUNT_EVENT if event := events.get(delivery.account_event_id):
                at, data = event.at, _account_event(event)
            case EventType.TEST:
                at, data = delivery.created_at, {"subscription": str(delivery.subscription_id)}
            case _:
                continue
        payloads[delivery.pk] = _body(delivery.event, at, data)
    return payloads


def _by_pk(model: Any, pks: set[Any]) -> dict[Any, Any]:
    return {row.pk: row for row in model.objects.filter(pk__in=pks)} if pks else {}


def _body(event: str, at: datetime, data: dict[str, Any]) -> bytes:
    return json.dumps(
        {"type": event, "timestamp": _iso(at), "data": data}, ensure_ascii=False, separators=(",", ":")
    ).encode()


def _received(message: Message) -> dict[str, Any]:
    contact = message.contact
    return {
        **_common(message),
        "content": message.content,
        "media": media_of(message, settings.BASE_URL),
        "text": message.text,
        "context_wamid": message.context_wamid or None,
        "contact": contact
        and {
            "name": contact.name,
            "username": contact.username,
            "phone_number": contact.phone,
            "user_id": contact.user_id,
        },
        "at": _iso(message.at),
    }


def _status_changed(message: Message, change: MessageEvent) -> dict[str, Any]:
    return {
        **_common(message),
        "status": change.status,
        "error_code": change.error_code,
        "error_title": change.error_title,
        # Meta ends it with the next status.
        "hold": QUALITY if change.status == Status.ACCEPTED and message.hold == QUALITY else None,
        "reference": message.reference,
        "campaign": message.campaign,
        "at": _iso(change.at),
    }


def _common(message: Message) -> dict[str, Any]:
    return {
        "id": str(message.pk),
        "wamid": message.wamid,
        "phone_number": message.peer,
        "sender": message.number.phone_number_id,
        "type": message.type,
    }


def _account_event(event: AccountEvent) -> dict[str, Any]:
    return {
        "id": event.pk,
        "kind": event.kind,
        "event": event.event,
        "subject": event.subject,
        "waba_id": event.waba_id,
        "sender": event.phone_number_id,
        "details": event.raw,
        "at": _iso(event.at),
    }


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
