"""Template filters of the analytics page."""

import re
from decimal import Decimal

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from analytics.costs import money as plain_money
from waproject.web.number_formats import count, duration, percent

register = template.Library()
# A word with what it may be broken after, or space.
PARTS = re.compile(r"[^\s_-]*[_-]+|[^\s_-]+|\s+")
LONGEST_WORD = 14
WBR = mark_safe("<wbr>")
for readings_filter in (count, duration, percent):
    register.filter(readings_filter)


@register.filter
def money(amount: str | Decimal | None) -> str:
    """1,234.50; "unpriced" where nothing has a price."""
    return "unpriced" if amount is None else f"{Decimal(plain_money(Decimal(amount))):,f}"


@register.filter
def breakable(name: str) -> SafeString:
    """A name of a template or campaign, which may go on in the next line after each underscore or hyphen, and within
    its words where these are too long for a narrow table."""
    return format_html_join(
        "", "{}{}", ((_whole(part), WBR if part[-1] in "_-" else "") for part in PARTS.findall(name))
    )


def _whole(part: str) -> str:
    return format_html('<span class="word">{}</span>', part) if len(part) <= LONGEST_WORD and part.strip() else part
