"""An event of Meta with its value, as handlers read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from messaging.models import AccountEvent
from messaging.whatsapp.inbound import Event, fields

META = "meta"


@dataclass(frozen=True, slots=True)
class MetaEvent:
    """An event and its value."""

    update: Event
    value: Mapping[str, object]

    @property
    def waba_id(self) -> str:
        """The account of the event; empty where none is named."""
        return (self.update.waba_id or "")[:32]

    @property
    def at(self) -> datetime:
        """Meta's time of the event, never in the future."""
        now = timezone.now()
        return min(self.update.timestamp or now, now)

    def text(self, name: str, longest: int = 255) -> str:
        """A text of the value; empty where there is none."""
        return fields.text(self.value, name, longest=longest) or ""

    def nested(self, node: str, name: str) -> str:
        """A text of a node inside the value; empty where there is none."""
        found = self.value.get(node)
        return (fields.text(found, name, longest=40) or "") if isinstance(found, Mapping) else ""


def later_events(event: MetaEvent) -> QuerySet[AccountEvent]:
    """Stored events of the same kind, account and subject with a later time: webhooks come in any order."""
    return AccountEvent.objects.filter(
        kind=event.update.kind, waba_id=event.waba_id, subject=event.update.subject, at__gt=event.at
    )


def read_event(update: Event) -> MetaEvent:
    """The event with its value, whatever its shape."""
    return MetaEvent(update, fields.node(update.raw, "value"))
