"""Addresses of the analytics page with its filters set, for pages below analytics: it is known by its name alone."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

MAY_SEE = "analytics.view_rollup"


def may_see_analytics(user: Any) -> bool:
    """Whether an account may see the page."""
    return bool(user.has_perm(MAY_SEE))


def analytics_url(section: str = "", **filters: str) -> str:
    """The page's address with these filters, such as ``campaign="spring"``; empty ones are left out.

    Empty where the page is not installed.
    """
    try:
        address = reverse("analytics-page")
    except NoReverseMatch:
        return ""
    given = {name: value for name, value in filters.items() if value}
    return address + (f"?{urlencode(given)}" if given else "") + (f"#{section}" if section else "")


def analytics_link(label: str, **filters: str) -> SafeString:
    """A link with this text; empty where the address is unknown."""
    address = analytics_url(**filters)
    return format_html('<a href="{}">{}</a>', address, label) if address else SafeString("")


def full_quarter(at: datetime) -> str:
    """A time as the page takes it: in UTC, rounded down to a quarter of an hour."""
    utc = at.astimezone(UTC)
    start = utc - timedelta(minutes=utc.minute % 15, seconds=utc.second, microseconds=utc.microsecond)
    return start.strftime("%Y-%m-%dT%H:%M:%SZ")
