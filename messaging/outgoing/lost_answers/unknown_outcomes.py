"""Unknown outcomes: the rule that settles a message whose answer was lost.

The Cloud API has no idempotency key and cannot be asked whether it took a message, so nothing here is proof. Meta
reports each message that it took with a status that carries our id. That this status is missing means "not taken" only
where it would have been here if there were one:

- time has passed: `WA_UNKNOWN_GRACE` since the end of the attempt;
- Meta reports: statuses of three other messages of the same number, dated after that end by Meta itself, are stored,
  and have been long enough for one of this message to follow, had Meta only just come back;
- nothing is still on its way through us: after that time the incoming queue was seen empty at least for a moment,
  also of what failed and hides until its retry, and those statuses were stored by then;
- nothing got lost on the way: since that end no webhook was refused and none went to the dead-letter queue.

Then the message is sent again. Where one of these does not come true within a minute after the grace, the message is
held and a person is told. A wrong inference shows: the second wamid is counted (`doubles.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from messaging.identifiers import first_uuid7
from messaging.lifecycle import Change, advance_many, alert
from messaging.models import Message, OnUnknown
from messaging.models.messages import UNKNOWN
from messaging.outgoing.lost_answers.incoming_evidence import IncomingEvidence
from messaging.outgoing.retry_settings import Patience, limits, patience
from messaging.states import Status

OTHERS_NEEDED = 3
# Whose statuses are looked at: messages from up to an hour before, the latest first, so many of them.
LOOK_BACK = timedelta(hours=1)
LOOK_AT = 200
SWEEP_ROWS = 500


class Verdict(StrEnum):
    """What becomes of an unknown message now."""

    WAIT = "wait"
    AGAIN = "again"
    FAIL = "fail"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Lost:
    """A message whose answer was lost; `ended_at`: the end of its attempt."""

    message_id: UUID
    number_id: int
    ended_at: datetime
    on_unknown: str
    attempts: int
    expires_at: datetime | None


def judge(
    lost: Lost,
    now: datetime,
    others: Sequence[tuple[UUID, datetime]],
    incoming: IncomingEvidence | None,
    limit: Patience,
) -> Verdict:
    """The rule above. `others`: latest statuses of the number's messages; `incoming` None: SQS could not be asked."""
    age = (now - lost.ended_at).total_seconds()
    if lost.on_unknown == OnUnknown.FAIL:
        return Verdict.FAIL
    if lost.on_unknown == OnUnknown.RESEND:
        return Verdict.AGAIN if age >= limit.resend else Verdict.WAIT
    if age < limit.grace:
        return Verdict.WAIT
    if incoming is not None and _would_have_come(lost, others, incoming, limit):
        return Verdict.AGAIN
    hopeless = incoming is not None and incoming.lost_since(lost.ended_at)
    return Verdict.HOLD if hopeless or age >= limit.told else Verdict.WAIT


def _would_have_come(
    lost: Lost, others: Sequence[tuple[UUID, datetime]], incoming: IncomingEvidence, limit: Patience
) -> bool:
    """Whether a status of this message would be stored by now, if there were one."""
    ripe_at = lost.ended_at + timedelta(seconds=limit.grace)
    if incoming.empty_at is None or not incoming.vouches_for(lost.ended_at, ripe_at):
        return False
    latest = incoming.empty_at - timedelta(seconds=limit.settle)
    reported = sum(message_id != lost.message_id and lost.ended_at < at <= latest for message_id, at in others)
    return reported >= OTHERS_NEEDED


def has_unknown() -> bool:
    """Whether any lost answer waits to be settled: only then the incoming lane has to be asked."""
    return Message.objects.filter(unknown_at__isnull=False, hold=None).exists()


def sweep_unknown(incoming: IncomingEvidence | None) -> None:
    """Settle what can be settled. The marks of `incoming` must have been read just now."""
    limit = patience()
    with transaction.atomic():
        now = timezone.now()
        rows = _unknown(now)
        others = _others(rows, now, incoming.empty_at, limit) if incoming and incoming.empty_at else {}
        verdicts = {row: judge(row, now, others.get(row.number_id, []), incoming, limit) for row in rows}
        advance_many(
            [
                _change(row, verdict, now)
                for row, verdict in verdicts.items()
                if verdict in {Verdict.AGAIN, Verdict.FAIL}
            ]
        )
        _hold([row for row, verdict in verdicts.items() if verdict is Verdict.HOLD])


def _unknown(now: datetime) -> list[Lost]:
    """The lost answers, the oldest first, locked."""
    rows = (
        Message.objects.select_for_update(skip_locked=True)
        .filter(unknown_at__isnull=False, hold=None, status=Status.UNKNOWN)
        .order_by("unknown_at")
        .values_list("id", "number_id", "unknown_at", "on_unknown", "attempts", "expires_at")[:SWEEP_ROWS]
    )
    return [
        Lost(message_id, number_id, ended_at or now, on_unknown, attempts, expires_at)
        for message_id, number_id, ended_at, on_unknown, attempts, expires_at in rows
    ]


def _change(row: Lost, verdict: Verdict, now: datetime) -> Change:
    if verdict is Verdict.FAIL:
        return Change(row.message_id, Status.FAILED, now, "dispatcher", error_title="outcome unknown, not sent again")
    if row.expires_at is not None and row.expires_at <= now:
        return Change(row.message_id, Status.EXPIRED, now, "dispatcher")
    if row.attempts + 1 >= limits().max_attempts:
        title = "outcome unknown, attempts used up"
        return Change(row.message_id, Status.FAILED, now, "dispatcher", error_title=title, exhausted=True)
    title = "sent again: nothing shows that WhatsApp took it"
    return Change(row.message_id, Status.PENDING, now, "dispatcher", error_title=title, counts=True)


def _hold(rows: Sequence[Lost]) -> None:
    Message.objects.filter(pk__in=[row.message_id for row in rows]).update(hold=UNKNOWN)
    for row in rows:
        alert("unknown", row.message_id, "the answer was lost and nothing settles it: mark it failed or send it again")


def _others(
    rows: Sequence[Lost], now: datetime, empty_at: datetime, limit: Patience
) -> dict[int, list[tuple[UUID, datetime]]]:
    """By number: the latest statuses, by Meta's time, of messages around and after the oldest lost answer.

    Only those that were stored when the queue was seen empty: one that came later may have been late for all.
    """
    ripe = [row for row in rows if (now - row.ended_at).total_seconds() >= limit.grace]
    since: dict[int, datetime] = {}
    for row in ripe:
        since[row.number_id] = min(row.ended_at, since.get(row.number_id, row.ended_at))
    until = empty_at - timedelta(seconds=limit.settle)
    return {number_id: _statuses_between(number_id, moment, until, empty_at) for number_id, moment in since.items()}


def _statuses_between(
    number_id: int, moment: datetime, until: datetime, stored_by: datetime
) -> list[tuple[UUID, datetime]]:
    # From the newest message back by primary key; it ends at LOOK_AT messages, at once where there is traffic.
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT m.id, e.at FROM messaging_message m CROSS JOIN LATERAL (
              SELECT max(e.at) AS at FROM messaging_messageevent e
              WHERE e.message_id = m.id AND e.source = 'webhook' AND e.at <= %s AND e.recorded_at <= %s
            ) e
            WHERE m.id >= %s AND m.number_id = %s AND m.direction = 'outbound' AND e.at > %s
            ORDER BY m.id DESC LIMIT %s
            """,
            [until, stored_by, first_uuid7(moment - LOOK_BACK), number_id, moment, LOOK_AT],
        )
        return list(cursor.fetchall())
