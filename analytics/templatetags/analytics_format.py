"""Template filters of the analytics page."""

from decimal import Decimal

from django import template

from analytics.costs import money as plain_money
from waproject.web.number_formats import count, duration, percent

register = template.Library()
for readings_filter in (count, duration, percent):
    register.filter(readings_filter)


@register.filter
def money(amount: str | Decimal | None) -> str:
    """1,234.50; "unpriced" where nothing has a price."""
    return "unpriced" if amount is None else f"{Decimal(plain_money(Decimal(amount))):,f}"
