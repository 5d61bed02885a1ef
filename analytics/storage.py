"""Storing events, each once, in bulk."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction
from django.utils import timezone

from analytics.models import Cursor, Event
from messaging.models import MessageEvent

# The namespace in which a MessageEvent's number becomes an event's id.
MESSAGE_EVENTS = UUID("6c1cc2a4-0d0e-5b7e-9d43-3f0a7a6f5b1e")
CURSOR = "message-events"
SWEEP_ROWS = 1000
# Rows of a transaction that commits late have lower ids than rows that are visible already; the sweep stays behind.
SETTLED_AFTER = timedelta(seconds=60)


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
        horizon = timezone.now() - SETTLED_AFTER
        new = MessageEvent.objects.filter(id__gt=cursor.position).order_by("id").values_list("id", "recorded_at")
        # Up to the first row that is too young, not past it: times need not rise with the ids.
        ids = [event_id for event_id, _ in takewhile(lambda row: row[1] < horizon, new[:SWEEP_ROWS])]
        if ids:
            store_message_events(ids)
            cursor.position = ids[-1]
            cursor.save(update_fields=["position"])
        return len(ids)
