"""The Celery tasks of the outgoing lane."""

from uuid import UUID

from celery import shared_task, signals

from messaging.outgoing import call_pool, redrive
from messaging.outgoing.claims import claim, with_contexts
from messaging.outgoing.release import Release
from waproject.logs.context import note_messages


@shared_task(name="messaging.send")
def send(*releases: tuple[str, list[str]]) -> None:
    """Claim the rows of releases, (release id, message ids), and start their calls. A duplicate task claims nothing."""
    batches = [Release(UUID(release), [UUID(row) for row in rows]) for release, rows in releases]
    for batch in batches:
        note_messages(batch.message_ids)
    for claimed in with_contexts(claim(batches)):
        call_pool.shared().send(claimed)


@shared_task(name="messaging.revive")
def revive(message_id: str, generation: int) -> None:
    """Send an exhausted message that was redriven from the dead-letter queue; once per generation."""
    redrive.redrive(UUID(message_id), generation)


@signals.worker_shutdown.connect
def finish_calls(**_: object) -> None:
    """Finish and record running calls before the process ends."""
    call_pool.close()
