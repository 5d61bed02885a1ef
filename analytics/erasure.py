"""A person's events: erased, or exported."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet

from analytics.models import Event
from messaging.erasure import OtherTable, Person


def _events(person: Person) -> QuerySet[Event]:
    return Event.objects.filter(contact__in=person.peers)


def erase_events(person: Person) -> int:
    """Empty the person's events; type and time stay, so no count changes."""
    return _events(person).update(contact="", data={}, reference="", event_id="")


def events_of(person: Person) -> Iterable[Mapping[str, Any]]:
    """The person's events."""
    return (
        _events(person)
        .order_by("occurred_at", "id")
        .values("id", "event_id", "event_type", "data", "client_name", "contact", "reference", "occurred_at")
    )


TABLES = (OtherTable("events", erase_events, events_of),)
