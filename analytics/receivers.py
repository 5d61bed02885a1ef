"""The only door from messaging: its new MessageEvent rows are hinted at, on the analytics queue."""

from typing import Any

from django.dispatch import receiver

from analytics import tasks
from messaging.publishing import SqsAway, publish
from messaging.signals import events_recorded


@receiver(events_recorded)
def hint(sender: Any, event_ids: list[int], **_: Any) -> None:
    """Tell the analytics lane; a hint that is lost is found by the sweep."""
    try:
        publish(tasks.record_message_events, event_ids)
    except SqsAway:
        return
