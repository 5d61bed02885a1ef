"""What a worker does to released rows: claim them and record what came of their calls."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from messaging import retry
from messaging.models import Attempt, BusinessNumber
from messaging.services.deadlocks import retrying_deadlocks
from messaging.services.transitions import Change, Logged, advance_many
from messaging.states import Status
from messaging.whatsapp.client import Accepted
from messaging.whatsapp.errors import WhatsAppError

logger = logging.getLogger(__name__)

# A claimed row is its worker's for this long. It outlasts a call (20 s) and the recording of its outcome, and ends
# before SQS shows the task again (120 s).
LEASE_S = 90


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that is ours to send until `lease_until`."""

    message_id: UUID
    release_id: UUID
    number_id: int
    phone_number_id: str
    peer: str
    type: str
    content: dict[str, object]
    attempts: int
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a claimed row: Meta's acceptance, an error, or None when no call was made in time."""

    claimed: Claimed
    result: Accepted | WhatsAppError | None
    at: datetime


@retrying_deadlocks
def claim(release_id: UUID, message_ids: Sequence[UUID]) -> list[Claimed]:
    """Take the rows of one release. Rows that moved on since are not returned: a copy of a task claims nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH claimed AS (
              UPDATE messaging_message m SET status = 'sending', updated_at = statement_timestamp(),
                lease_until = statement_timestamp() + make_interval(secs => %(lease)s)
              FROM messaging_businessnumber n
              WHERE m.id = ANY(%(ids)s) AND m.release_id = %(release_id)s AND m.status = 'queued' AND n.id = m.number_id
              RETURNING m.id, m.number_id, n.phone_number_id, m.peer, m.type, m.content, m.attempts, m.lease_until
            ), logged AS (
              INSERT INTO messaging_messageevent (message_id, status, at, source)
              SELECT id, 'sending', statement_timestamp(), 'worker' FROM claimed
            )
            SELECT id, number_id, phone_number_id, peer, type, content::text, attempts, lease_until FROM claimed
            """,
            {"ids": list(message_ids), "release_id": release_id, "lease": LEASE_S},
        )
        rows = cursor.fetchall()
    return [
        Claimed(
            message_id, release_id, number_id, phone_number_id, peer, kind, json.loads(content), attempts, lease_until
        )
        for message_id, number_id, phone_number_id, peer, kind, content, attempts, lease_until in rows
    ]


@retrying_deadlocks
def record(outcomes: Sequence[Outcome]) -> list[Logged]:
    """Write what came of any number of calls, in one transaction; pause a number that Meta refuses altogether."""
    decisions = [(outcome, _decide(outcome)) for outcome in outcomes]
    with transaction.atomic():
        logged = advance_many([_change(outcome, decision) for outcome, decision in decisions])
        Attempt.objects.bulk_create([_attempt(outcome) for outcome in outcomes if outcome.result is not None])
        paused = {o.claimed.number_id: o for o, decision in decisions if decision.pause_number}
        for number_id, outcome in paused.items():
            _pause(number_id, outcome)
    return logged


def _decide(outcome: Outcome) -> retry.Decision:
    match outcome.result:
        case Accepted():
            return retry.Decision(Status.ACCEPTED, counts=True)
        case None:
            return retry.Decision(Status.PENDING)
        case error:
            return retry.decide(error, outcome.claimed.attempts, settings.WA_MAX_ATTEMPTS)


def _change(outcome: Outcome, decision: retry.Decision) -> Change:
    result = outcome.result
    error = result if isinstance(result, WhatsAppError) else None
    return Change(
        outcome.claimed.message_id,
        decision.status,
        outcome.at,
        "worker",
        wamid=result.wamid if isinstance(result, Accepted) else None,
        error_code=error.code if error else None,
        error_title=describe_error(error) if error else "",
        due_at=outcome.at + timedelta(seconds=decision.wait),
        counts=decision.counts,
        # That Meta has it is true of the message, whatever became of the release.
        release_id=None if decision.status is Status.ACCEPTED else outcome.claimed.release_id,
    )


def _attempt(outcome: Outcome) -> Attempt:
    result = outcome.result
    error = result if isinstance(result, WhatsAppError) else None
    return Attempt(
        message_id=outcome.claimed.message_id,
        n=outcome.claimed.attempts + 1,
        wamid=result.wamid if isinstance(result, Accepted) else None,
        outcome=type(error).__name__ if error else "Accepted",
        error_code=error.code if error else None,
        error_title=describe_error(error) if error else "",
        at=outcome.at,
    )


def describe_error(error: WhatsAppError) -> str:
    """An error in the operator's words, at most 255 characters."""
    return (error.title or type(error).__name__)[:255]


def _pause(number_id: int, outcome: Outcome) -> None:
    error = outcome.result
    reason = f"{error.code}: {describe_error(error)}"[:200] if isinstance(error, WhatsAppError) else ""
    if BusinessNumber.objects.filter(pk=number_id, paused_at=None).update(
        paused_at=timezone.now(), pause_reason=reason
    ):
        logger.error("number %s is paused: %s", number_id, reason)
