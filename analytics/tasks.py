"""The tasks of the analytics lane."""

from typing import Any

from celery import shared_task

from analytics import storage


@shared_task(name="analytics.record_events")
def record_events(*batches: list[dict[str, Any]]) -> None:
    """Events that clients sent."""
    storage.store([event for batch in batches for event in batch])


@shared_task(name="analytics.record_message_events")
def record_message_events(*batches: list[int]) -> None:
    """A hint: these MessageEvent rows are new."""
    storage.store_message_events([event_id for batch in batches for event_id in batch])


@shared_task(name="analytics.sweep_message_events")
def sweep_message_events() -> None:
    """Everything that a hint missed."""
    while storage.sweep_message_events() == storage.SWEEP_ROWS:
        pass
