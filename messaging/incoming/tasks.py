"""The Celery tasks of the incoming lane."""

from celery import shared_task

from messaging.incoming import store


@shared_task(name="messaging.receive")
def receive(*bodies: dict[str, object]) -> None:
    """Webhook bodies of Meta, or pieces of them, in one transaction: all or none."""
    store.receive(*bodies)


@shared_task(name="messaging.receive_stored")
def receive_stored(stored_id: int) -> None:
    """A webhook body that was too large for the queue."""
    store.receive_stored(stored_id)
