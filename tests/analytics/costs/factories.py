"""Rate cards and delivered messages with invented prices."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from analytics.costs.cards import store_card
from analytics.costs.figures import CostQuestion, Figure, figures
from analytics.costs.rate_card_csv import read_card
from analytics.models import Charge, RateCard
from analytics.rollups import quarter_of
from messaging.accepting.sending_numbers import sending_number
from messaging.models import Message, MessageEvent
from messaging.states import Status
from tests.analytics.rollups.factories import outbound

LIST = "Market,Currency,Marketing,Utility,Authentication,Service\n"
TIERS = "Market,Currency,Category,From,To,Rate\n"
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def card(text: str, valid_from: str = "2026-10-01", currency: str = "USD") -> RateCard:
    """Stored from the lines of a file."""
    read = read_card(text.splitlines(), currency)
    return store_card(read, "Test", currency, date.fromisoformat(valid_from))[0]


def charge(at: datetime, messages: int = 1, category: str = "marketing", **fields: Any) -> Charge:
    """Delivered messages."""
    given = {"market": "Germany", "price_type": "regular", "client_id": 0, **fields}
    given.setdefault("number_id", sending_number().pk)
    start = quarter_of(at)
    return Charge.objects.create(bucket=start, at=start, category=category, messages=messages, **given)


def delivered(at: datetime, peer: str = "4915112345678", category: str | None = "marketing", **fields: Any) -> Message:
    """A message that was delivered a second after `at`, billed as `category`."""
    price = {"pricing_type": "regular", "pricing_category": category} if category else {}
    row = outbound(at, peer, status=Status.DELIVERED, **{**price, **fields})
    MessageEvent.objects.create(message=row, status="delivered", at=at, source="webhook", key=f"{row.pk}:delivered")
    return row


def november(*group_by: str, **filters: list[Any]) -> list[Figure]:
    """The figures of November 2026, UTC."""
    return figures(CostQuestion([NOVEMBER], DECEMBER, "USD", group_by, filters))


def cost(*group_by: str) -> Decimal:
    """The total of November."""
    return sum((one.cost for one in november(*group_by)), Decimal(0))
