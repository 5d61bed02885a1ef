"""Tracking events from Python, and storing them."""

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from asgiref.sync import sync_to_async
from django.db import transaction
from django.utils import timezone

from analytics.models import EVENT_TYPE_LENGTH, Cursor, Event
from messaging.identifiers import uuid7
from messaging.models import MessageEvent
from messaging.publishing import SqsAway, publish

logger = logging.getLogger(__name__)

# The namespace in which a MessageEvent's number becomes an event's id.
MESSAGE_EVENTS = UUID("6c1cc2a4-0d0e-5b7e-9d43-3f0a7a6f5b1e")
CURSOR = "message-events"
SWEEP_ROWS = 1000
# Rows of a transaction that commits late have lower ids than rows that are visible already; the sweep stays behind.
SETTLED_AFTER = timedelta(seconds=60)


def track_event(event_type: str, event_data: Mapping[str, Any] | None = None) -> UUID:
    """Put one event on the analytics queue and return its id. With SQS away it is stored at once.

    Raises ValueError for an empty or overlong `event_type` (100 characters) and django.db errors when SQS and the
    database are both away.
    """
    if not 0 < len(event_type) <= EVENT_TYPE_LENGTH:
        raise ValueError(f"event_type has 1 to {EVENT_TYPE_LENGTH} characters.")
    return enqueue([{"event_type": event_type, "event_data": dict(event_data or {})}], source="python")[0]


atrack_event = sync_to_async(track_event)


def enqueue(events: Sequence[Mapping[str, Any]], source: str, client_name: str = "") -> list[UUID]:
    """Send validated events ({event_type, event_data, event_id?, occurred_at?}) to the lane; returns their ids."""
    from analytics import tasks

    now = timezone.now().isoformat()
    payload = [
        {
            "id": str(event.get("event_id") or uuid7()),
            "event_type": event["event_type"],
            "data": event.get("event_data") or {},
            "source": source,
            "client_name": client_name,
            "occurred_at": event.get("occurred_at") or now,
        }
        for event in events
    ]
    for chunk in _chunks(payload):
        try:
            publish(tasks.record_events, chunk)
        except SqsAway:
            store(chunk)
    return [UUID(event["id"]) for event in payload]


def _chunks(payload: list[dict[str, Any]], limit: int = 400 * 1024) -> list[list[dict[str, Any]]]:
    """As few tasks as fit in SQS's 1 MiB a message, JSON inside JSON counted double."""
    chunks: list[list[dict[str, Any]]] = [[]]
    size = 0
    for event in payload:
        length = len(json.dumps(event))
        if chunks[-1] and size + length > limit:
            chunks.append([])
            size = 0
        chunks[-1].append(event)
        size += length
    return chunks


def store(payload: Sequence[Mapping[str, Any]]) -> None:
    """Store events in bulk, each id once."""
    rows = [
        Event(
            id=UUID(event["id"]),
            event_type=event["event_type"],
            data=event["data"],
            source=event["source"],
            client_name=event["client_name"],
            occurred_at=datetime.fromisoformat(event["occurred_at"]),
        )
        for event in payload
    ]
    Event.objects.bulk_create(sorted(rows, key=lambda row: row.id), ignore_conflicts=True)


def store_message_events(event_ids: Sequence[int]) -> int:
    """Turn MessageEvent rows into events; returns how many rows were read. Any number of times is once."""
    rows = (
        MessageEvent.objects.filter(id__in=event_ids)
        .select_related("message")
        .only("status", "at", "source", "error_code", "applied", "message__direction", "message__type")
    )
    events = [_event(row) for row in rows]
    Event.objects.bulk_create(sorted(events, key=lambda event: event.id), ignore_conflicts=True)
    return len(events)


def _event(row: MessageEvent) -> Event:
    data: dict[str, Any] = {
        "message_id": str(row.message_id),
        "direction": row.message.direction,
        "type": row.message.type,
        "source": row.source,
    }
    if row.error_code is not None:
        data["error_code"] = row.error_code
    return Event(
        id=uuid5(MESSAGE_EVENTS, str(row.pk)),
        event_type=f"message.{row.status}",
        data=data,
        source="pipeline",
        occurred_at=row.at,
    )


def sweep_message_events() -> int:
    """Store what no hint brought, from the cursor on; returns how many rows were read."""
    with transaction.atomic():
        Cursor.objects.get_or_create(name=CURSOR)
        cursor = Cursor.objects.select_for_update(skip_locked=True).filter(name=CURSOR).first()
        if cursor is None:  # another worker sweeps
            return 0
        settled = MessageEvent.objects.filter(id__gt=cursor.position, recorded_at__lt=timezone.now() - SETTLED_AFTER)
        ids = list(settled.order_by("id").values_list("id", flat=True)[:SWEEP_ROWS])
        if ids:
            store_message_events(ids)
            cursor.position = ids[-1]
            cursor.save(update_fields=["position"])
        return len(ids)
