"""Event tracking, from the API and from Python."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import transaction
from django.utils import timezone

from analytics import storage, tasks
from analytics.event_ids import contact_key, event_key
from analytics.models import EVENT_ID_LENGTH, EVENT_TYPE_LENGTH, REFERENCE_LENGTH
from messaging.task_publisher import publish_many
from waproject.sqs.json_limits import INCOMING, excess
from waproject.web.api.json_parser import unstorable

PYTHON = "python"


def track_event(
    event_type: str,
    event_data: Mapping[str, Any] | None = None,
    *,
    event_id: str = "",
    contact: str = "",
    reference: str = "",
    occurred_at: datetime | None = None,
) -> UUID:
    """Put one event on the analytics queue and return its id. While SQS is unavailable it is stored at once.

    `event_id` is the id that it has elsewhere: tracked twice, it is stored once. `contact` is a phone number or a
    business-scoped user id. Raises ValueError for an empty or overlong `event_type` (100 characters), an overlong
    `event_id` (200) or `reference` (255), an invalid contact, a time without an offset, and text or numbers that the
    database cannot store; TypeError for data that is not JSON; django.db errors if SQS and the database are both
    unavailable.
    """
    if not 0 < len(event_type) <= EVENT_TYPE_LENGTH:
        raise ValueError(f"event_type has 1 to {EVENT_TYPE_LENGTH} characters.")
    for name, text, longest in (
        ("event_id", event_id, EVENT_ID_LENGTH),
        ("reference", reference, REFERENCE_LENGTH),
    ):
        if len(text) > longest:
            raise ValueError(f"{name} has at most {longest} characters.")
    if occurred_at is not None and occurred_at.utcoffset() is None:
        raise ValueError("occurred_at needs an offset.")
    data = dict(event_data or {})
    texts = {"event_type": event_type, "event_id": event_id, "reference": reference}
    if problem := unstorable({**texts, **data}) or excess(json.dumps(data).encode(), INCOMING):
        raise ValueError(problem)
    event = {
        **texts,
        "event_data": data,
        "contact": contact_key(contact) if contact else "",
        "occurred_at": occurred_at and occurred_at.isoformat(),
    }
    return enqueue([event], source=PYTHON, owner=PYTHON)[0]


atrack_event = sync_to_async(track_event)


def enqueue(events: Sequence[Mapping[str, Any]], source: str, owner: str, client_name: str = "") -> list[UUID]:
    """Send validated events to the lane and return their ids; store them at once while SQS is unavailable.

    An event is {event_type, event_data?, event_id?, contact?, reference?, occurred_at?}: the contact in the form of
    `contact_key`, the time in ISO 8601. `owner` says whose `event_id`s these are.
    """
    now = timezone.now().isoformat()
    payload = [
        {
            "id": str(event_key(event.get("event_id") or "", owner)),
            "event_id": event.get("event_id") or "",
            "event_type": event["event_type"],
            "data": event.get("event_data") or {},
            "source": source,
            "client_name": client_name,
            "contact": event.get("contact") or "",
            "reference": event.get("reference") or "",
            "occurred_at": event.get("occurred_at") or now,
        }
        for event in events
    ]
    chunks = _chunks(payload)
    taken = publish_many(tasks.record_events, [(chunk,) for chunk in chunks])
    if left := [chunk for chunk, is_taken in zip(chunks, taken, strict=True) if not is_taken]:
        # All or none of them, even if the database is lost in between.
        with transaction.atomic():
            for chunk in left:
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
