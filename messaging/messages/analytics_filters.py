"""The filters of the message list, as the analytics page names them: it then counts what the list shows."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from messaging.identifiers import made_at
from messaging.messages.admin_filters import AGES
from messaging.models import BusinessNumber
from waproject.web.analytics_links import full_quarter

SAME = ("direction", "status", "type", "template", "campaign", "error_code")
QUARTER = timedelta(minutes=15)


def analytics_filters(query: Mapping[str, str]) -> dict[str, str]:
    """The filters that both know; others (a search, a priority) are left out."""
    filters = {name: query[f"{name}__exact"] for name in SAME if query.get(f"{name}__exact")}
    if number := query.get("number__id__exact"):
        found = {str(pk): name for pk, name in BusinessNumber.objects.values_list("pk", "phone_number_id")}
        filters["sender"] = found.get(number, "")
    if query.get("age") in AGES:
        filters["since"] = full_quarter(timezone.now() - AGES[query["age"]][1])
    if (since := _time_of(query.get("id__gte"))) is not None:
        filters["since"] = full_quarter(since)
    if (until := _time_of(query.get("id__lt"))) is not None:
        with suppress(OverflowError):  # the last quarter of the year 9999
            # Ids hold milliseconds, and the page ends before the time that it is given.
            filters["until"] = full_quarter(until + QUARTER - timedelta(milliseconds=1))
    return filters


def _time_of(message_id: str | None) -> datetime | None:
    """The time in an id; None for an invalid one."""
    try:
        return made_at(UUID(message_id)) if message_id else None
    except (ValueError, OverflowError, OSError):
        return None
