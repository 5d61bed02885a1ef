"""Unknown outcomes: the rule that settles a message whose answer was unknown.

The Cloud API has no idempotency key and no query for accepted messages, so nothing here is proof. Meta sends a status
with our id for each message that it accepts. A missing status means "not accepted" only under these conditions:

- Time: `WA_UNKNOWN_GRACE` has passed since the end of the attempt.
- Meta reports: statuses of three other messages that we sent from the same number, which Meta dates after that end, are
  stored, and are old enough for one of this message to have followed them, even if Meta had just recovered.
- Nothing is in transit: after the grace period the incoming queue was empty for a moment, delayed retries included, and
  those statuses were stored by then.
- Nothing was lost: since the end of the attempt no webhook was rejected and none went to the dead-letter queue.

Then the dispatcher sends the message again. If a condition is still missing a minute after the grace period, it holds
the message and alerts an operator. A wrong inference shows in the count of duplicate sends
(`messaging/lifecycle/duplicate_sends.py`).
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
from messaging.outgoing.retry_settings import UnknownTimeouts, limits, unknown_timeouts
from messaging.states import Status

OTHERS_NEEDED = 3
# The other messages whose statuses count: from an hour before on, the latest 200.
OTHERS_SINCE = timedelta(hours=1)
OTHERS_AT_MOST = 200
SWEEP_ROWS = 500


class Resolution(StrEnum):
    """What happens now to a message with an unknown outcome."""

    WAIT = "wait"
    RESEND = "resend"
    FAIL = "fail"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class UnknownOutcome:
    """A message whose answer was lost; `ended_at`: the end of its attempt."""

    message_id: UUID
    number_id: int
    ended_at: datetime
    on_unknown: str
    attempts: int
    expires_at: datetime | None


def resolve(
    unknown: UnknownOutcome,
    now: datetime,
    others: Sequence[tuple[UUID, datetime]],
    incoming: IncomingEvidence | None,
    timeouts: UnknownTimeouts,
) -> Resolution:
    """The rule above. `others`: latest statuses of the number's messages; `incoming` None: SQS does not answer."""
    age = (now - unknown.ended_at).total_seconds()
    if unknown.on_unknown == OnUnknown.FAIL:
        return Resolution.FAIL
    if unknown.on_unknown == OnUnknown.RESEND:
        return Resolution.RESEND if age >= timeouts.resend else Resolution.WAIT
    if age < timeouts.grace:
        return Resolution.WAIT
    if incoming is not None and _status_is_missing(unknown, others, incoming, timeouts):
        return Resolution.RESEND
    may_be_lost = incoming is not None and incoming.may_have_lost_since(unknown.ended_at)
    return Resolution.HOLD if may_be_lost or age >= timeouts.alert else Resolution.WAIT


def _status_is_missing(
    unknown: UnknownOutcome,
    others: Sequence[tuple[UUID, datetime]],
    incoming: IncomingEvidence,
    timeouts: UnknownTimeouts,
) -> bool:
    """Whether a status of this message would be stored by now if Meta had accepted it."""
    grace_ended_at = unknown.ended_at + timedelta(seconds=timeouts.grace)
    if incoming.empty_at is None or not incoming.has_everything_between(unknown.ended_at, grace_ended_at):
        return False
    latest = incoming.empty_at - timedelta(seconds=timeouts.report_lag)
    reported = sum(message_id != unknown.message_id and unknown.ended_at < at <= latest for message_id, at in others)
    return reported >= OTHERS_NEEDED


def has_unknown_outcomes() -> bool:
    """Whether a message waits for a resolution: only then the incoming queue has to be polled."""
    # A first row in the order of the index, not EXISTS, for which a planner without statistics reads the table.
    waiting = Message.objects.filter(unknown_at__isnull=False, hold=None).order_by("unknown_at")
    return bool(waiting.values_list("pk")[:1])


def sweep_unknown(incoming: IncomingEvidence | None) -> None:
    """Resolve unknown outcomes. The caller has read the marks of `incoming` just now."""
    timeouts = unknown_timeouts()
    with transaction.atomic():
        now = timezone.now()
        rows = _locked_unknown(now, timeouts)
        others = _others(rows, now, incoming.empty_at, timeouts) if incoming and incoming.empty_at else {}
        resolutions = {row: resolve(row, now, others.get(row.number_id, []), incoming, timeouts) for row in rows}
        advance_many(
            [
                _change(row, resolution, now)
                for row, resolution in resolutions.items()
                if resolution in {Resolution.RESEND, Resolution.FAIL}
            ]
        )
        _hold([row for row, resolution in resolutions.items() if resolution is Resolution.HOLD])


def _locked_unknown(now: datetime, timeouts: UnknownTimeouts) -> list[UnknownOutcome]:
    """Messages whose time has come by `resolve`, locked.

    Each `on_unknown` is read apart, since many that still lack evidence would keep the others from their turn.
    """
    waits = {OnUnknown.FAIL: 0.0, OnUnknown.RESEND: timeouts.resend, OnUnknown.WAIT: timeouts.grace}
    return [
        row for on_unknown, wait in waits.items() for row in _locked(on_unknown, now - timedelta(seconds=wait), now)
    ]


def _locked(on_unknown: OnUnknown, ended_by: datetime, now: datetime) -> list[UnknownOutcome]:
    """Messages with an unknown outcome, oldest first, locked."""
    rows = (
        Message.objects.select_for_update(skip_locked=True)
        .filter(unknown_at__lte=ended_by, on_unknown=on_unknown, hold=None, status=Status.UNKNOWN)
        .order_by("unknown_at")
        .values_list("id", "number_id", "unknown_at", "attempts", "expires_at")[:SWEEP_ROWS]
    )
    return [
        UnknownOutcome(message_id, number_id, ended_at or now, on_unknown, attempts, expires_at)
        for message_id, number_id, ended_at, attempts, expires_at in rows
    ]


def _change(row: UnknownOutcome, resolution: Resolution, now: datetime) -> Change:
    if resolution is Resolution.FAIL:
        return Change(row.message_id, Status.FAILED, now, "dispatcher", error_title="outcome unknown, not sent again")
    if row.expires_at is not None and row.expires_at <= now:
        return Change(row.message_id, Status.EXPIRED, now, "dispatcher")
    if row.attempts + 1 >= limits().max_attempts:
        title = "outcome unknown, attempts used up"
        return Change(row.message_id, Status.FAILED, now, "dispatcher", error_title=title, exhausted=True)
    title = "sent again: nothing shows that WhatsApp took it"
    return Change(row.message_id, Status.PENDING, now, "dispatcher", error_title=title, counts=True)


def _hold(rows: Sequence[UnknownOutcome]) -> None:
    Message.objects.filter(pk__in=[row.message_id for row in rows]).update(hold=UNKNOWN)
    for row in rows:
        alert(
            "unknown",
            row.message_id,
            "the answer was lost and no evidence settles it: mark the message failed or send it again",
        )


def _others(
    rows: Sequence[UnknownOutcome], now: datetime, empty_at: datetime, timeouts: UnknownTimeouts
) -> dict[int, list[tuple[UUID, datetime]]]:
    """By number: the latest statuses, by Meta's time, of messages around and after the oldest unknown outcome.

    Only statuses that were stored when the queue was empty: a later one says nothing about webhooks in transit.
    """
    past_grace = [row for row in rows if (now - row.ended_at).total_seconds() >= timeouts.grace]
    since: dict[int, datetime] = {}
    for row in past_grace:
        since[row.number_id] = min(row.ended_at, since.get(row.number_id, row.ended_at))
    until = empty_at - timedelta(seconds=timeouts.report_lag)
    return {number_id: _statuses_between(number_id, moment, until, empty_at) for number_id, moment in since.items()}


def _statuses_between(
    number_id: int, moment: datetime, until: datetime, stored_by: datetime
) -> list[tuple[UUID, datetime]]:
    # Reads back from the newest message by primary key until the limit, which is soon reached where there is traffic.
    # CASE keeps the planner, which expects hardly a message of the number where it has no statistics, from reading the
    # table for them.
    # Statuses of Meta's have a key: the receipt of a message that the phone app has sent (an echo) and the retry after
    # a `failed` come by webhook too, and say nothing about statuses of what we send.
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT m.id, e.at FROM messaging_message m CROSS JOIN LATERAL (
              SELECT max(e.at) AS at FROM messaging_messageevent e
              WHERE e.message_id = m.id AND e.source = 'webhook' AND e.key IS NOT NULL
                AND e.at <= %s AND e.recorded_at <= %s
            ) e
            WHERE m.id >= %s AND e.at > %s
              AND CASE WHEN m.number_id = %s AND m.direction = 'outbound' AND m.origin = '' THEN true ELSE false END
            ORDER BY m.id DESC LIMIT %s
            """,
            [until, stored_by, first_uuid7(moment - OTHERS_SINCE), moment, number_id, OTHERS_AT_MOST],
        )
        return list(cursor.fetchall())
