"""Keyset pages of events: each begins where the one before ended, whatever is added meanwhile."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from analytics.models import Event


@dataclass(frozen=True, slots=True)
class Position:
    """The last row of a page."""

    at: datetime
    id: UUID

    def __str__(self) -> str:
        """Opaque and safe in a URL."""
        text = f"{self.at.astimezone(UTC).isoformat()}/{self.id}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> "Position":
        """Raise ValidationError for a cursor that we did not issue."""
        try:
            padded = text + "=" * (-len(text) % 4)
            at, _, row_id = base64.urlsafe_b64decode(padded.encode()).decode().partition("/")
            return cls(datetime.fromisoformat(at).astimezone(UTC), UUID(row_id))
        except (ValueError, OverflowError, binascii.Error):
            raise ValidationError({"cursor": ["Not a cursor of this list: leave it out, or follow `next`."]}) from None


def page(rows: QuerySet[Event], after: Position | None, size: int) -> tuple[Sequence[Event], Position | None]:
    """The newest rows after a position, and the position of the next page; None where this is the last."""
    rows = rows.order_by("-occurred_at", "-id")
    if after is not None:
        rows = rows.extra(where=["(occurred_at, id) < (%s, %s)"], params=[after.at, after.id])
    found = list(rows[: size + 1])
    return found[:size], Position(found[size - 1].occurred_at, found[size - 1].id) if len(found) > size else None


def next_url(request: Request, position: Position | None) -> str | None:
    """The address of the next page: this one's filters, from there on."""
    if position is None:
        return None
    query = request.query_params.copy()
    query["cursor"] = str(position)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
