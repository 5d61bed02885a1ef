"""Filters that lists of the API share: choices, and the time of creation."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import django_filters
from django.core.exceptions import ValidationError as InvalidValue
from django.db.models import QuerySet
from django_filters.fields import IsoDateTimeField

from messaging.identifiers import ID_SLACK_MS, first_uuid7
from waproject.web.api.iso_times import iso_time
from waproject.web.api.strict_fields import allowed

TIME_FILTERS = {"created_after", "created_before"}


def one_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """A choice filter's error messages, which list the allowed values."""
    return {"invalid_choice": f'"%(value)s" is not allowed. {allowed(name for name, _ in pairs)}'}


class MomentField(IsoDateTimeField):
    """A time, converted to UTC: PostgreSQL takes no offset beyond 15:59, Python no year outside 1 to 9999."""

    def clean(self, value: Any) -> datetime | None:
        """Raise ValidationError for a time out of range in UTC, and for a parameter without a value."""
        if value == "":
            raise InvalidValue("Give a time such as 2026-12-24T18:00:00Z, or leave the parameter out.")
        if isinstance(value, str) and (value := iso_time(value)) is None:
            raise InvalidValue("Give a time such as 2026-12-24T18:00:00Z. In an address, encode the + of an offset.")
        moment: datetime | None = super().clean(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError:
            raise InvalidValue("Out of range.") from None


class MomentFilter(django_filters.IsoDateTimeFilter):
    """A filter by time."""

    field_class = MomentField


class CreatedFilterSet(django_filters.FilterSet):
    """?created_after=, created_before=, of rows with a UUIDv7 as `id` and a `created_at`."""

    created_after = MomentFilter(method="filter_created_after")
    created_before = MomentFilter(method="filter_created_before")

    # Pages are in the order of the ids, which hold the time: without a bound on the id, a page of last year would scan
    # the index from today on.
    def filter_created_after(self, queryset: QuerySet[Any], name: str, value: datetime) -> QuerySet[Any]:
        """Rows created at or after this time."""
        return queryset.filter(created_at__gte=value, id__gte=first_uuid7(value, -ID_SLACK_MS))

    def filter_created_before(self, queryset: QuerySet[Any], name: str, value: datetime) -> QuerySet[Any]:
        """Rows created before this time."""
        return queryset.filter(created_at__lt=value, id__lt=first_uuid7(value, ID_SLACK_MS))
