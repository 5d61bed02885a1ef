"""The page without messages: the likely reason, and links out of it."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.http import QueryDict

from analytics.models import Bucket
from analytics.page.drill_down import page_with_period, page_without
from analytics.questions import DEFAULT_DAYS, Question

DAY = "%-d %b %Y"


@dataclass(frozen=True, slots=True)
class EmptyState:
    """`filters` are those in the way: the period has messages without them. `latest` is the day of the last message
    that was counted before the period's end, else of the first one after it; empty where none was ever counted."""

    filters: list[tuple[str, str]]
    without_filters_url: str
    latest: str
    latest_url: str
    local: bool


def empty_state(question: Question, query: QueryDict) -> EmptyState:
    """For a question that no message answers."""
    period = question.period
    counted = Bucket.objects.filter(messages__gt=0)
    given = {name: str(value) for name, value in (question.filters or {}).items()}
    in_the_way = given and counted.filter(start__gte=period.since, start__lt=period.until).exists()
    nearest = counted.filter(start__lt=period.until).order_by("-start").first() or counted.order_by("start").first()
    latest = period.local(nearest.start).date() if nearest else None
    following = latest + timedelta(days=1) if latest else None
    return EmptyState(
        filters=sorted(given.items()) if in_the_way else [],
        without_filters_url=page_without(query, given),
        latest=f"{latest:{DAY}}" if latest else "",
        latest_url=page_with_period(query, following - timedelta(days=DEFAULT_DAYS), following) if following else "",
        local=settings.LOCAL,
    )
