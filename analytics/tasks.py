"""The tasks of the analytics lane."""

from typing import Any

from celery import shared_task

from analytics import storage
from analytics.rollups import count_listeners
from analytics.rollups import roll_up as roll_up_what_is_due


@shared_task(name="analytics.record_events")
def record_events(*batches: list[dict[str, Any]]) -> None:
    """Store events of clients."""
    storage.store([event for batch in batches for event in batch])


@shared_task(name="analytics.roll_up")
def roll_up() -> None:
    """Count the quarters of an hour whose messages have changed, then check budgets. Beat sends it every 15 s."""
    try:
        roll_up_what_is_due()
    finally:
        # Budgets are checked by what is counted already.
        count_listeners.run()


# Version 0.1 copied the trail of messages into events. Its tasks may still lie on the queue after an update; they have
# nothing left to do, and must not end as dead letters.
@shared_task(name="analytics.record_message_events")
def record_message_events(*batches: list[int]) -> None:
    """Does nothing: a task of version 0.1 that may still be on the queue."""


@shared_task(name="analytics.sweep_message_events")
def sweep_message_events() -> None:
    """Does nothing: a task of version 0.1 that may still be on the queue."""
