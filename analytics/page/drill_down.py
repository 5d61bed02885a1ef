"""Links from a number to its messages: the message list of the admin, with the filters that made the number."""

from collections.abc import Mapping
from urllib.parse import urlencode

from django.urls import reverse

from analytics.questions import Asked
from messaging.identifiers import first_uuid7
from messaging.models import BusinessNumber

# Filters that the message list has too: others, such as a category, leave it wider than the number.
SAME = {"template", "campaign", "type", "status", "direction", "error_code"}


def messages_url(asked: Asked, more: Mapping[str, str | int] | None = None) -> str:
    """The address of the list. Its bounds are ids, which hold the time, so that it reads an index."""
    period = asked.period
    query: dict[str, str | int] = {"id__gte": str(first_uuid7(period.since)), "id__lt": str(first_uuid7(period.until))}
    filters = {**(asked.filters or {}), **(more or {})}
    query |= {f"{name}__exact": value for name, value in filters.items() if name in SAME}
    if sender := filters.get("sender"):
        number = BusinessNumber.objects.filter(phone_number_id=sender).values_list("pk", flat=True).first()
        query["number__id__exact"] = number or 0
    return f"{reverse('admin:messaging_message_changelist')}?{urlencode(query)}"
