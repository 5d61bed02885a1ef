"""The tasks of the incoming and outgoing lanes: what to do is elsewhere, these say only that it is to be done."""

from uuid import UUID

from celery import shared_task, signals

from messaging import sender, services
from messaging.services import Release
from waproject.log_context import note_messages

# A warm shutdown waits for calls that are under way; one takes 20 s at most.
DRAIN_S = 25


@shared_task(name="messaging.receive")
def receive(*bodies: dict[str, object]) -> None:
    """Webhook bodies of Meta, or pieces of them, in one transaction: all or none."""
    services.receive(*bodies)


@shared_task(name="messaging.receive_stored")
def receive_stored(stored_id: int) -> None:
    """A webhook body that was too large for the queue."""
    services.receive_stored(stored_id)


@shared_task(name="messaging.send")
def send(*releases: tuple[str, list[str]]) -> None:
    """The rows of releases, (release id, message ids): claim them and start their calls. A copy claims nothing."""
    batches = [Release(UUID(release), [UUID(row) for row in rows]) for release, rows in releases]
    for batch in batches:
        note_messages(batch.message_ids)
    for claimed in services.claim(batches):
        sender.sender().send(claimed)


@shared_task(name="messaging.revive")
def revive(message_id: str, generation: int) -> None:
    """An exhausted message that somebody redrove from the dead-letter queue: once more, once per generation."""
    services.revive(UUID(message_id), generation)


@signals.worker_shutdown.connect
def finish_calls(**_: object) -> None:
    """Record the calls that are under way before the process ends."""
    sender.close(DRAIN_S)
