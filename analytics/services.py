"""Event tracking, from the API and from Python."""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.utils import timezone

from analytics import storage, tasks
from analytics.models import EVENT_TYPE_LENGTH
from messaging.identifiers import uuid7
from messaging.task_publisher import publish_many
from waproject.sqs.json_limits import INCOMING, excess
from waproject.web.json_parser import unstorable

logger = logging.getLogger(__name__)


def track_event(event_type: str, event_data: Mapping[str, Any] | None = None) -> UUID:
    """Put one event on the analytics queue and return its id. With SQS away it is stored at once.

    Raises ValueError for an empty or overlong `event_type` (100 characters) and for text or numbers that the database
    cannot keep, TypeError for data that is not JSON, and django.db errors when SQS and the database are both away.
    """
    if not 0 < len(event_type) <= EVENT_TYPE_LENGTH:
        raise ValueError(f"event_type has 1 to {EVENT_TYPE_LENGTH} characters.")
    data = dict(event_data or {})
    if problem := unstorable({"event_type": event_type, **data}) or excess(json.dumps(data).encode(), INCOMING):
        raise ValueError(problem)
    return enqueue([{"event_type": event_type, "event_data": data}], source="python")[0]


atrack_event = sync_to_async(track_event)


def enqueue(events: Sequence[Mapping[str, Any]], source: str, client_name: str = "") -> list[UUID]:
    """Send validated events ({event_type, event_data, event_id?, occurred_at?}) to the lane; returns their ids."""
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
    chunks = _chunks(payload)
    for chunk, taken in zip(chunks, publish_many(tasks.record_events, [(chunk,) for chunk in chunks]), strict=True):
        if not taken:
            storage.store(chunk)
    return [UUID(event["id"]) for event in payload]


def _chunks(payload: list[dict[str, Any]], limit: int = 400 * 1024) -> list[list[dict[str, Any]]]:
    """As few tasks as fit in SQS's 1 MiB a message: JSON in JSON has at most twice the length of its ASCII form."""
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
