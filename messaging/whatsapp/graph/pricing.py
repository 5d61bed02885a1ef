"""Meta's prices of delivered messages: the field `pricing_analytics` of a WABA.

Meta calls these charges approximate; the invoice decides.
https://developers.facebook.com/documentation/business-messaging/whatsapp/analytics#pricing-analytics
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from messaging.whatsapp.graph.nodes import child, elements, text


@dataclass(frozen=True, slots=True)
class PricePoint:
    """Delivered messages of a country (ISO code), category and type, in lower case as statuses have them.

    `cost` is in the account's currency.
    """

    country: str
    category: str
    type: str
    volume: int
    cost: Decimal


def pricing_field(since: datetime, until: datetime) -> str:
    """The field for a period, by day, country, category and type."""
    period = f"start({int(since.timestamp())}).end({int(until.timestamp())})"
    return f"pricing_analytics.{period}.granularity(DAILY).dimensions(COUNTRY,PRICING_CATEGORY,PRICING_TYPE)"


def price_points(answer: object) -> Iterator[PricePoint]:
    """The points of an answer; one without a volume is left out."""
    for series in elements(child(answer, "pricing_analytics"), "data"):
        for point in elements(series, "data_points"):
            volume = child(point, "volume")
            if isinstance(volume, int):
                yield PricePoint(
                    country=text(point, "country"),
                    category=text(point, "pricing_category").lower(),
                    type=text(point, "pricing_type").lower(),
                    volume=volume,
                    cost=_money(child(point, "cost")),
                )


def _money(value: object) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)
    return amount if amount.is_finite() else Decimal(0)
