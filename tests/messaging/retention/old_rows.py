"""Messages of long ago."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from messaging.identifiers import first_uuid7
from messaging.models import Direction, Message, MessageEvent
from messaging.states import Status
from tests.messaging.factories import number


def days_ago(days: float) -> datetime:
    """A time in the past."""
    return timezone.now() - timedelta(days=days)


def old_message(days: float, status: Status = Status.DELIVERED, **fields: Any) -> Message:
    """A message of so many days ago, with one line in its timeline."""
    at = days_ago(days)
    is_inbound = status == Status.RECEIVED
    row = Message.objects.create(
        **{
            "id": UUID(int=first_uuid7(at).int | (uuid4().int & (1 << 60) - 1)),
            "direction": Direction.INBOUND if is_inbound else Direction.OUTBOUND,
            "number": number(),
            "peer": "15551230001",
            "type": "text",
            "text": "a secret",
            "content": {"body": "a secret"},
            "raw": {"text": "a secret"} if is_inbound else None,
            "status": status,
            "at": at,
            "created_at": at,
            "due_at": None if is_inbound else at,
            "outcome_at": None if is_inbound or status in {Status.PENDING, Status.UNKNOWN} else at,
            **fields,
        }
    )
    MessageEvent.objects.create(message=row, status=status, at=at, recorded_at=at, source="worker")
    return row
