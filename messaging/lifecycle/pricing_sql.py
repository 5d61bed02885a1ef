"""The parts of the status statement that keep Meta's pricing; only statements with a priced status have them.

Meta gives the price with `sent`, and again with `delivered` or `read`. The furthest of these decides, in whatever order
they come; a status of an attempt before the present one decides nothing.

The status statement prices the messages that it moves. A status that comes too late to move its message decides only
if the later status had no price. A separate statement prices these, so that the usual one stays quick to plan.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from django.db import connection

from messaging.states import Status
from messaging.whatsapp.inbound import Pricing

# The statuses that decide, a later one over an earlier one.
PRICED_BY: list[str] = [Status.SENT.value, Status.DELIVERED.value, Status.READ.value]

NAMES = ", billable, pricing_model, pricing_type, pricing_category"
GIVEN = """,
    %(billable)s::bool[], %(pricing_model)s::text[], %(pricing_type)s::text[], %(pricing_category)s::text[],
    %(places)s::int[]"""
GIVEN_NAMES = f"{NAMES}, place"
LOCKED = ", COALESCE(array_position(%(priced_by)s::text[], m.priced_by::text), 0) AS place"
PRICE = """
), price AS (
  SELECT * FROM given WHERE place > 0"""
MOVED_SET = """,
    priced_by = CASE WHEN p.id IS NULL THEN m.priced_by ELSE p.status END,
    billable = CASE WHEN p.id IS NULL THEN m.billable ELSE p.billable END,
    pricing_model = CASE WHEN p.id IS NULL THEN m.pricing_model ELSE p.pricing_model END,
    pricing_type = CASE WHEN p.id IS NULL THEN m.pricing_type ELSE p.pricing_type END,
    pricing_category = CASE WHEN p.id IS NULL THEN m.pricing_category ELSE p.pricing_category END"""
MOVED_JOIN = " LEFT JOIN price p ON p.id = l.id AND p.place >= k.place"
PLACE = ", k.place"
LOGGED = ", g.billable, g.pricing_model, g.pricing_type, g.pricing_category"


_LATE = """
UPDATE messaging_message m SET priced_by = p.status, billable = p.billable, pricing_model = p.pricing_model,
  pricing_type = p.pricing_type, pricing_category = p.pricing_category
FROM unnest(%(ids)s::uuid[], %(statuses)s::text[], %(wamids)s::text[], %(billable)s::bool[], %(pricing_model)s::text[],
  %(pricing_type)s::text[], %(pricing_category)s::text[])
  AS p(id, status, wamid, billable, pricing_model, pricing_type, pricing_category)
WHERE m.id = p.id AND (m.wamid IS NULL OR p.wamid IS NULL OR m.wamid = p.wamid)
"""


class Priced(Protocol):
    """A status of a message that may have a price."""

    @property
    def message_id(self) -> UUID: ...
    @property
    def status(self) -> Status: ...
    @property
    def wamid(self) -> str | None: ...
    @property
    def pricing(self) -> Pricing | None: ...


def deciding(changes: Sequence[Priced]) -> dict[UUID, Priced]:
    """The status whose price decides, by message; messages without one are left out."""
    found: dict[UUID, Priced] = {}
    for change in changes:
        if change.pricing and place_of(change.status) > 0:
            best = found.get(change.message_id)
            if best is None or place_of(change.status) > place_of(best.status):
                found[change.message_id] = change
    return found


def place_of(status: Status) -> int:
    """The rank of a status: the higher one decides; 0 decides nothing."""
    return PRICED_BY.index(status) + 1 if status in PRICED_BY else 0


def parameters(changes: Sequence[Priced], decide: Mapping[UUID, Priced]) -> dict[str, list[Any]]:
    """The parameters of these parts of the statement."""
    return {
        "priced_by": PRICED_BY,
        "places": [place_of(c.status) if decide.get(c.message_id) is c else 0 for c in changes],
        **_columns(changes),
    }


def price_late(changes: Sequence[Priced]) -> None:
    """Price the messages of these statuses, which did not move them; their rows are locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            _LATE,
            {
                "ids": [change.message_id for change in changes],
                "statuses": [change.status.value for change in changes],
                "wamids": [change.wamid for change in changes],
                **_columns(changes),
            },
        )


def _columns(changes: Sequence[Priced]) -> dict[str, list[Any]]:
    prices = [change.pricing for change in changes]
    return {
        "billable": [price and price.billable for price in prices],
        "pricing_model": [price and price.model for price in prices],
        "pricing_type": [price and price.type for price in prices],
        "pricing_category": [price and price.category for price in prices],
    }
