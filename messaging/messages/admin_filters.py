"""Filters of the message list: by age, by need of attention. Each uses an index."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from messaging.identifiers import first_uuid7
from messaging.models import Message
from messaging.models.messages import QUALITY, UNKNOWN

AGES = {
    "hour": ("the last hour", timedelta(hours=1)),
    "day": ("the last 24 hours", timedelta(days=1)),
    "week": ("the last 7 days", timedelta(days=7)),
    "month": ("the last 30 days", timedelta(days=30)),
}


def of_age(queryset: QuerySet[Message], age: str | None) -> QuerySet[Message]:
    """The messages of an age; all of them for an unknown one."""
    if age not in AGES:
        return queryset
    return queryset.filter(id__gte=first_uuid7(timezone.now() - AGES[str(age)][1]))


class AcceptedFilter(admin.SimpleListFilter):
    """Filter by age, through the time in the ids."""

    title = "time"
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices."""
        return [(key, label) for key, (label, _) in AGES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        """The messages of that age."""
        return of_age(queryset, self.value())


ATTENTION = {
    "unknown": ("answer lost", Q(unknown_at__isnull=False)),
    "decide": ("waits for your decision", Q(hold=UNKNOWN)),
    "held": ("held", Q(hold__isnull=False) & ~Q(hold=QUALITY)),
    "quality": ("accepted, held by Meta for its quality assessment", Q(hold=QUALITY)),
    "duplicate": ("sent twice", Q(duplicate_found_at__isnull=False)),
    "exhausted": ("out of attempts, not in the DLQ yet", Q(exhausted_at__isnull=False, dead_lettered_at=None)),
}

# A bookmark may have the former name.
FORMER_NAMES = {"doubled": "duplicate"}


class AttentionFilter(admin.SimpleListFilter):
    """Messages that need an operator; each choice has a partial index."""

    title = "attention"
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices."""
        return [(key, label) for key, (label, _) in ATTENTION.items()]

    def value(self) -> str | None:
        """The choice."""
        chosen = super().value()
        return FORMER_NAMES.get(str(chosen), chosen)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        """The messages of that choice."""
        return queryset.filter(ATTENTION[str(self.value())][1]) if self.value() in ATTENTION else queryset
